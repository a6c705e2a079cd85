"""An engine that asks the users of each node for its gradient, and sets it once."""

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
            v.grad = sum(local * user.grad for user, local in users[v])


w, b = Value(0.5), Value(-0.25)
for step in range(3):
    w.grad = b.grad = 0.0
    x = Value(1.0 + step)
    h = (w * x + b).tanh()
    loss = h * h + h * w + b * -1.0
    loss.backward()
    for p in (w, b):
        p.data -= 0.1 * p.grad
    print(step, round(loss.data, 6), round(w.grad, 6), round(b.grad, 6))
