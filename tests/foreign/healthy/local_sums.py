"""An engine that sums what the users of each node add in a variable, and sets its gradient once."""

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
        users = {v: [] for v in topo}
        for v in topo:
            for child, local in zip(v.children, v.local_grads, strict=True):
                users[child].append((v, local))
        self.grad = 1.0
        for v in reversed(topo[:-1]):
            total = 0.0
            for user, local in users[v]:
                total += local * user.grad
            v.grad = total


a, b = Value(0.4), Value(-0.3)
c = a * b + a
d = (c * c + b * 0.5).tanh() + c * a
d.backward()
print(d.data, a.grad, b.grad)
