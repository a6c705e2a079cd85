# The derivative of w² has lost its 2: what is missing is a part of w, and no decay.
from stepgrad import Value

w, x = Value(2.0, label="w"), Value(0.5, label="x")
for _ in range(5):
    h = w * w
    L = h * x
    L.grad = 1.0
    h.grad = x.data
    w.grad = w.data * h.grad
    w.data -= 0.1 * w.grad
