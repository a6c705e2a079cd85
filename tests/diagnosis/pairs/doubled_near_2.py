"""A result is differentiated twice, and cleared in between."""

from stepgrad import Value

x = Value(3.0, label="x")
y = x * x + 1
y.backward()
x.grad = 0.0
y.backward()
