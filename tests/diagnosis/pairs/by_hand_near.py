# Gradients that are right by hand, and then scaled, clipped and disturbed.
import random

from stepgrad import Value

random.seed(0)
w, b = Value(2.0, label="w"), Value(1.0, label="b")
for _ in range(4):
    e = w * 3 + b - 1
    L = e * e
    L.grad = 1.0
    e.grad = 2 * e.data
    w.grad = 3 * e.grad
    b.grad = e.grad
    for p in (w, b):
        p.grad = max(-1.0, min(1.0, p.grad)) * 0.5 + random.gauss(0, 0.1)
        p.data -= 0.05 * p.grad
