"""The loss has a minus sign too many: minimised, it drives the weights away from the data."""

from stepgrad import Value

w, b = Value(0.5, label="w"), Value(0.0, label="b")
rows = [(1.0, 3.0), (2.0, 5.0), (3.0, 7.0)]
for _ in range(6):
    loss = -sum(((w * x + b - y) ** 2 for x, y in rows), Value(0.0)) / len(rows)
    loss.label = "loss"
    w.grad = b.grad = 0.0
    loss.backward()
    for p in (w, b):
        p.data -= 0.01 * p.grad
