# w gets the local derivative of x.
from stepgrad import Value

w, x = Value(2.0, label="w"), Value(3.0, label="x")
y = w * x
L = (y - 1) ** 2
L.grad = 1.0
y.grad = 2 * (y.data - 1)
w.grad = y.grad * w.data
x.grad = y.grad * w.data
