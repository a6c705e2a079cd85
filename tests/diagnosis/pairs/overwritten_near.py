"""Gradients by hand are added up row by row, then divided by the number of rows."""

from stepgrad import Value

w, b = Value(0.5, label="w"), Value(0.1, label="b")
rows = ((0.5, 1.0), (-1.0, 0.3))
for _ in range(6):
    w.grad, b.grad = 0.0, 0.0
    for x, t in rows:
        z = w * x + b
        up = 2 * (z.data - t)
        w.grad += up * x
        b.grad = b.grad + up
    total = [p.grad for p in (w, b)]
    for p, grad in zip((w, b), total, strict=True):
        p.grad = grad / len(rows)
        p.data -= 0.1 * p.grad
