"""An engine that keeps its operands in order, and trains a small classifier."""

import math
import random


class Value:
    def __init__(self, data, _prev=(), _op=""):
        self.data = data
        self.grad = 0
        self._prev = _prev
        self._op = _op
        self._backward = lambda: None

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other), "+")

        def _backward():
            self.grad += out.grad
            other.grad += out.grad

        out._backward = _backward
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other), "*")

        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out._backward = _backward
        return out

    def __pow__(self, other):
        out = Value(self.data**other, (self,), "**")

        def _backward():
            self.grad += other * self.data ** (other - 1) * out.grad

        out._backward = _backward
        return out

    def tanh(self):
        out = Value(math.tanh(self.data), (self,), "tanh")

        def _backward():
            self.grad += (1 - out.data**2) * out.grad

        out._backward = _backward
        return out

    def exp(self):
        out = Value(math.exp(self.data), (self,), "exp")

        def _backward():
            self.grad += math.exp(self.data) * out.grad

        out._backward = _backward
        return out

    def log(self):
        out = Value(math.log(self.data), (self,), "log")

        def _backward():
            self.grad += 1 / self.data * out.grad

        out._backward = _backward
        return out

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for each in node._prev:
                    visit(each)
                order.append(node)

        visit(self)
        self.grad = 1
        for node in reversed(order):
            node._backward()

    def __neg__(self):
        return self * -1.0

    def __radd__(self, other):
        return self + other

    def __sub__(self, other):
        return self + -other

    def __rsub__(self, other):
        return Value(other) + -self

    def __rmul__(self, other):
        return self * other

    def __truediv__(self, other):
        return self * other**-1


class Neuron:
    def __init__(self, inputs, squash=True):
        self.w = [Value(random.uniform(-1, 1)) for _ in range(inputs)]
        self.b = Value(0)
        self.squash = squash

    def __call__(self, x):
        act = sum((wi * xi for wi, xi in zip(self.w, x, strict=True)), self.b)
        return act.tanh() if self.squash else act

    def parameters(self):
        return [*self.w, self.b]


def nll(logits, target):
    top = max(each.data for each in logits)
    exps = [(each - top).exp() for each in logits]
    return -(exps[target] / sum(exps)).log()


random.seed(4)
hidden = [Neuron(2) for _ in range(3)]
final = [Neuron(3, squash=False) for _ in range(2)]
parameters = [p for neuron in hidden + final for p in neuron.parameters()]
points = [((0.5, -1.0), 0), ((-1.5, 0.3), 1), ((1.0, 1.0), 0)]
for step in range(4):
    loss = Value(0)
    for x, target in points:
        loss = loss + nll([n([m(x) for m in hidden]) for n in final], target)
    loss = loss * (1 / len(points))
    loss.backward()
    for p in parameters:
        p.data -= 0.2 * p.grad
        p.grad = 0
    print(step, round(loss.data, 6))
