"""A gradient is twice what a person works out: a second call adds to the first."""

from stepgrad import Value

x = Value(3.0, label="x")
y = x * x + 1
y.label = "y"
y.backward()
y.backward()
print(x.grad)
