# local derivative, line 35: s (1 - s) takes the result, not the operand

import math
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(eq=False)
class Cell:
    val: float
    parents: tuple = ()
    rules: tuple[Callable, ...] = ()
    grad: float = field(default=0.0, repr=False)

    def __add__(self, other):
        other = lift(other)
        return Cell(self.val + other.val, (self, other), (lambda g: g, lambda g: g))

    def __mul__(self, other):
        other = lift(other)
        rules = (lambda g: g * other.val, lambda g: g * self.val)
        return Cell(self.val * other.val, (self, other), rules)

    def __sub__(self, other):
        other = lift(other)
        return Cell(self.val - other.val, (self, other), (lambda g: g, lambda g: -g))

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other):
        return lift(other) - self

    def sigmoid(self):
        s = 1 / (1 + math.exp(-self.val))
        return Cell(s, (self,), (lambda g: g * self.val * (1 - self.val),))

    def backward(self):
        self.grad = 1.0
        for node in reversed(sorted_from(self)):
            for parent, rule in zip(node.parents, node.rules, strict=True):
                parent.grad += rule(node.grad)


def lift(x):
    return x if isinstance(x, Cell) else Cell(x)


def sorted_from(root):
    order, seen = [], set()

    def visit(node):
        if id(node) not in seen:
            seen.add(id(node))
            for parent in node.parents:
                visit(parent)
            order.append(node)

    visit(root)
    return order


p, q = Cell(0.4), Cell(-1.1)
h = (p * q + 0.5).sigmoid()
k = (h * p - q) * h
out = (1 - k) * k + 3 * p
out.backward()
print(out.val, p.grad, q.grad)
