"""An engine whose operations leave it to a method to make the result and to write on the tape."""

import math


class Node:
    tape = []

    def __init__(self, val, label=""):
        self.val = val
        self.adj = 0.0
        self.label = label

    def _op(self, other, val, first, second):
        out = Node(val)
        Node.tape.append((out, self, first, other, second))
        return out

    def _lift(self, other):
        return other if isinstance(other, Node) else Node(float(other))

    def __add__(self, other):
        other = self._lift(other)
        return self._op(other, self.val + other.val, 1.0, 1.0)

    def __mul__(self, other):
        other = self._lift(other)
        return self._op(other, self.val * other.val, other.val, self.val)

    def __truediv__(self, other):
        other = self._lift(other)
        return self._op(other, self.val / other.val, 1 / other.val, -self.val / other.val**2)

    def __sub__(self, other):
        return self + self._lift(other) * self._lift(-1)

    def __rsub__(self, other):
        return self._lift(other) - self

    def tanh(self):
        t = math.tanh(self.val)
        return self._op(self._lift(0), t, 1 - t * t, 0.0)

    __radd__ = __add__
    __rmul__ = __mul__


def backward(root):
    root.adj = 1.0
    while Node.tape:
        out, one, first, other, second = Node.tape.pop()
        one.adj += first * out.adj
        other.adj += second * out.adj


a, b = Node(1.0, "a"), Node(0.0, "b")
c = (2 * a + b * a - 3) / (a + 4)
d = (1 - a) * c + (a - 2) * c.tanh() + (b - a) * 0.5 + c * c
backward(d)
print(d.val, a.adj, b.adj)
