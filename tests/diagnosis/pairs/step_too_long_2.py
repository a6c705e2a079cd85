"""The loss blows up with more rows: it is their sum, and the learning rate is for their mean."""

from stepgrad import SGD, Value

rows = [(k / 16 - 1, k / 16) for k in range(32)]
w, b = Value(0.0, label="w"), Value(0.0, label="b")
optimizer = SGD([w, b], learning_rate=0.2)
for _ in range(6):
    loss = sum((w * x + b - t) ** 2 for x, t in rows)
    loss.label = "loss"
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
