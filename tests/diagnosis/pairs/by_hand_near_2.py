# Gradients that are scaled in the line that writes them, as for the mean of a batch.
from stepgrad import Value

w, b = Value(2.0, label="w"), Value(1.0, label="b")
e = w * 3 + b - 1
L = e * e
L.grad = 1.0
e.grad = 2 * e.data
w.grad = 3 * e.grad / 8
b.grad = e.grad / 8
