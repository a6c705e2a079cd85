"""x + x: both contributions are the same number, and the second replaces the first."""

from stepgrad import Value

x = Value(3.0, label="x")
y = x + x
y.label = "y"
y.grad = 1.0
x.grad = 1.0 * y.grad
x.grad = 1.0 * y.grad
