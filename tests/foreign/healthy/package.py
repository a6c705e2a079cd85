"""A program that has its engine in a package beside it."""

from engines.tiny import Tensor0

a, b = Tensor0(3.0), Tensor0(-0.5)
c = a * b + a
c = c * c - 2 * b
c.backward()
print(c, a.gradient, b.gradient)
