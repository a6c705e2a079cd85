# Momentum in the line that writes a gradient.
from stepgrad import Value

w = Value(2.0, label="w")
for _ in range(6):
    e = w * 3 - 1
    L = e * e
    L.grad = 1.0
    e.grad = 2 * e.data
    w.grad = 0.5 * (w.grad or 0.0) + 3 * e.grad
    w.data -= 0.01 * w.grad
