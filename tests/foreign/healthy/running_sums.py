"""An engine that sums gradients in a dict, and shows each sum so far in its node."""

import math


class Value:
    def __init__(self, data, children=(), local_grads=()):
        self.data = data
        self.grad = 0.0
        self.children = children
        self.local_grads = local_grads

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def tanh(self):
        t = math.tanh(self.data)
        return Value(t, (self,), (1 - t * t,))

    def backward(self):
        topo, seen = [], set()

        def build(v):
            if v not in seen:
                seen.add(v)
                for child in v.children:
                    build(child)
                topo.append(v)

        build(self)
        grads = {id(v): 0.0 for v in topo}
        self.grad = grads[id(self)] = 1.0
        for v in reversed(topo):
            for child, local in zip(v.children, v.local_grads, strict=True):
                grads[id(child)] += local * grads[id(v)]
                child.grad = grads[id(child)]


a, b = Value(0.4), Value(-0.3)
c = a * b + a
d = (c * c + b * 0.5).tanh() + c * a
d.backward()
print(d.data, a.grad, b.grad)
