# A mean over rows: each adds its part, in the line that writes the gradient.
from stepgrad import Value

w = Value(0.5, label="w")
rows = [(1.0, 2.0), (2.0, 3.9), (3.0, 6.1)]
for _ in range(10):
    w.grad = 0.0
    for x, y in rows:
        e = w * x - y
        L = e * e
        L.grad = 1.0
        e.grad = 2 * e.data
        w.grad += x * e.grad / len(rows)
    w.data -= 0.05 * w.grad
