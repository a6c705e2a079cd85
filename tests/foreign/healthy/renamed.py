"""Numbers behind properties of another name, and a backward pass outside of the class."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(eq=False, slots=True)
class Var:
    _number: float
    parents: tuple = ()
    vjps: tuple = ()
    _adjoint: float = 0.0

    @property
    def value(self):
        return self._number

    @value.setter
    def value(self, number):
        self._number = float(number)

    @property
    def grad(self):
        return self._adjoint

    @grad.setter
    def grad(self, number):
        self._adjoint = float(number)

    def __add__(self, other):
        return Var(self._number + other._number, (self, other), (lambda g: g, lambda g: g))

    def __mul__(self, other):
        vjps = (lambda g: g * other._number), (lambda g: g * self._number)
        return Var(self._number * other._number, (self, other), vjps)

    def tanh(self):
        t = math.tanh(self._number)
        return Var(t, (self,), (lambda g: g * (1 - t * t),))


def backprop(root):
    order, seen = [], set()

    def visit(node):
        if id(node) not in seen:
            seen.add(id(node))
            for parent in node.parents:
                visit(parent)
            order.append(node)

    visit(root)
    for node in order:
        node.grad = 0.0
    root.grad = 1.0
    for node in reversed(order):
        for parent, vjp in zip(node.parents, node.vjps, strict=True):
            parent.grad = parent.grad + vjp(node.grad)


a, b = Var(0.5), Var(-1.5)
y = (a * b + a).tanh() * b + a
backprop(y)
print(f"{y.value:.6f} {a.grad:.6f} {b.grad:.6f}")
