# A training whose derivative of the square has lost its 2.
from stepgrad import Value

w = Value(0.5, label="w")
for _ in range(5):
    e = w * 2 - 1.5
    L = e * e
    L.grad = 1.0
    e.grad = e.data * L.grad
    w.grad = 2 * e.grad
    w.data -= 0.1 * w.grad
