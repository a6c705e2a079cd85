"""An engine of frozen nodes: the gradients are in cells of their own."""

from dataclasses import dataclass


@dataclass(frozen=True, eq=False)
class Fixed:
    value: float
    parents: tuple = ()
    grad: float = 0.0

    def __add__(self, other):
        return Fixed(self.value + other.value, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        return Fixed(self.value * other.value, ((self, other.value), (other, self.value)))

    def backward(self, upstream=1.0):
        object.__setattr__(self, "grad", self.grad + upstream)
        for parent, local in self.parents:
            parent.backward(upstream * local)


m, n = Fixed(3.0), Fixed(4.0)
r = m * n + m
r.backward()
print(m.grad, n.grad)
try:
    m.grad = 1.0
except AttributeError as error:
    print(type(error).__name__, error)
