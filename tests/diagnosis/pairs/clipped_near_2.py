"""Twenty rows are accumulated, and their gradients divided by their number: a mean, no clipping."""

from stepgrad import Value

w, b = Value(0.0, label="w"), Value(0.0, label="b")
rows = [(k / 10 - 1, k / 5) for k in range(20)]
for _ in range(6):
    w.grad = b.grad = 0.0
    for x, t in rows:
        ((w * x + b - t) ** 2).backward()
    for p in (w, b):
        p.grad /= len(rows)
        p.data -= 0.2 * p.grad
