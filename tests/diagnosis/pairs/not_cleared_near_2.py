"""Rows are accumulated before each update, and the gradients are cleared after it."""

from stepgrad import SGD, Value

w = Value(0.5, label="w")
optimizer = SGD([w], learning_rate=0.02)
for _ in range(8):
    for x, t in [(1.0, 2.0), (2.0, 3.5), (-1.0, -2.0)]:
        ((w * x - t) ** 2).backward()
    optimizer.step()
    optimizer.zero_grad()
