# Gradients that are clipped in the line that writes them.
from stepgrad import Value


def clipped(gradient, most=1.0):
    return max(-most, min(most, gradient))


w, x = Value(2.0, label="w"), Value(3.0, label="x")
y = w * x
L = (y - 1) ** 2
L.grad = 1.0
y.grad = 2 * (y.data - 1)
w.grad = clipped(y.grad * x.data)
x.grad = y.grad * w.data
