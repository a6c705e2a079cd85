"""A queue of nodes with what arrives there; and a stack whose nodes add to their operands."""

from collections import deque


class Number:
    def __init__(self, data, parents=()):
        self.data = data
        self.grad = 0.0
        self.parents = parents

    def __add__(self, other):
        return Number(self.data + other.data, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        return Number(self.data * other.data, ((self, other.data), (other, self.data)))

    def backward(self):
        waiting = deque([(self, 1.0)])
        while waiting:
            node, arrived = waiting.popleft()
            node.grad += arrived
            waiting.extend((parent, arrived * local) for parent, local in node.parents)

    def backward_by_edges(self):
        self.grad = 1.0
        stack = [(self, 1.0)]
        while stack:
            node, arrived = stack.pop()
            for parent, local in node.parents:
                parent.grad += arrived * local
                stack.append((parent, arrived * local))


x, w = Number(2.0), Number(3.0)
d = x * w + x
loss = d * d
loss.backward()
print(x.grad, w.grad)
x.grad = w.grad = 0.0
d = x * w + x
loss = d * d + d
loss.backward_by_edges()
print(x.grad, w.grad)
