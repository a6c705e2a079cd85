"""What a learner's Value class costs: slots, stored local derivatives, and no recording.

This is the yardstick of the benchmarks, written for speed in the manner of the scalar engines that
people learn from; it is no part of stepgrad.
"""

from __future__ import annotations

import math


class LeanValue:
    __slots__ = ("_children", "_locals", "data", "grad")

    def __init__(
        self,
        data: float,
        children: tuple[LeanValue, ...] = (),
        local_grads: tuple[float, ...] = (),
    ) -> None:
        self.data = data
        self.grad = 0.0
        self._children = children
        self._locals = local_grads

    def __add__(self, other: LeanValue | float) -> LeanValue:
        other = other if isinstance(other, LeanValue) else LeanValue(other)
        return LeanValue(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other: LeanValue | float) -> LeanValue:
        other = other if isinstance(other, LeanValue) else LeanValue(other)
        return LeanValue(self.data * other.data, (self, other), (other.data, self.data))

    def __sub__(self, other: LeanValue | float) -> LeanValue:
        other = other if isinstance(other, LeanValue) else LeanValue(other)
        return LeanValue(self.data - other.data, (self, other), (1.0, -1.0))

    def __pow__(self, power: float) -> LeanValue:
        return LeanValue(self.data**power, (self,), (power * self.data ** (power - 1),))

    def __truediv__(self, other: LeanValue | float) -> LeanValue:
        return self * other**-1

    def __neg__(self) -> LeanValue:
        return self * -1.0

    def max(self, other: LeanValue) -> LeanValue:
        locals_ = (1.0, 0.0) if self.data > other.data else (0.0, 1.0)
        return LeanValue(max(self.data, other.data), (self, other), locals_)

    def relu(self) -> LeanValue:
        return LeanValue(max(self.data, 0.0), (self,), (float(self.data > 0),))

    def exp(self) -> LeanValue:
        out = math.exp(self.data)
        return LeanValue(out, (self,), (out,))

    def log(self) -> LeanValue:
        return LeanValue(math.log(self.data), (self,), (1 / self.data,))

    def tanh(self) -> LeanValue:
        out = math.tanh(self.data)
        return LeanValue(out, (self,), (1 - out * out,))

    def backward(self) -> None:
        order: list[LeanValue] = []
        seen: set[LeanValue] = set()

        def visit(node: LeanValue) -> None:
            if node not in seen:
                seen.add(node)
                for child in node._children:
                    visit(child)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            upstream = node.grad
            for child, local in zip(node._children, node._locals, strict=True):
                child.grad += local * upstream
