"""One of two factors starts at 0: it moves first. The input of another weight is 0."""

from stepgrad import SGD, Value

a, b, u = Value(0.5, label="a"), Value(0.0, label="b"), Value(0.0, label="u")
optimizer = SGD([a, b, u], learning_rate=0.02)
for _ in range(12):
    loss = (a * b + u * 0.0 - 2) ** 2
    loss.label = "loss"
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
