"""A list by hand holds the tied weight twice."""

from stepgrad import Value

w, b = Value(0.2, label="w"), Value(0.1, label="b")
for _ in range(8):
    loss = (w * (w * 2.0) + b - 3) ** 2
    loss.label = "loss"
    w.grad = b.grad = 0.0
    loss.backward()
    for p in [w, w, b]:
        p.data -= 0.02 * p.grad
