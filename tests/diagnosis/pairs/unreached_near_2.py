"""A target network: its output is a plain number on purpose, and it follows by hand."""

from stepgrad import SGD, Value

w, slow = Value(0.3, label="w"), Value(0.9, label="slow")
optimizer = SGD([w], learning_rate=0.05)
for _ in range(6):
    target = (slow * 1.3).tanh()
    loss = ((w * 1.3).tanh() - target.data) ** 2
    loss.label = "loss"
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    slow.data = 0.9 * slow.data + 0.1 * w.data
