# Weight decay in the line that writes a gradient.
from stepgrad import Value

w, b = Value(2.0, label="w"), Value(1.0, label="b")
for _ in range(5):
    e = w * 3 + b - 1
    L = e * e
    L.grad = 1.0
    e.grad = 2 * e.data
    w.grad = 3 * e.grad + 0.01 * w.data
    b.grad = e.grad
    for p in (w, b):
        p.data -= 0.01 * p.grad
