"""Only the last row counts: each row assigns its gradient where it should add."""

from stepgrad import Value

w, b = Value(0.5, label="w"), Value(0.1, label="b")
for _ in range(6):
    w.grad, b.grad = 0.0, 0.0
    for x, t in ((0.5, 1.0), (-1.0, 0.3), (2.0, 1.5)):
        z = w * x + b
        up = 2 * (z.data - t)
        w.grad = up * x
        b.grad = up
    w.data -= 0.1 * w.grad
    b.data -= 0.1 * b.grad
