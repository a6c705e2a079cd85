"""A slow copy receives gradients, which are cleared; then it moves, but not by them."""

from stepgrad import SGD, Value

w, slow = Value(0.5, label="w"), Value(0.2, label="slow")
optimizer = SGD([w], learning_rate=0.05)
for _ in range(12):
    loss = (w * 2.0 - 3) ** 2 + 0.1 * (w - slow) ** 2
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    slow.grad = 0.0
    slow.data = 0.9 * slow.data + 0.1 * w.data
