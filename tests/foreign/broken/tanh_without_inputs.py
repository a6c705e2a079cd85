# left out, line 36: its result has no inputs

import math


class Node:
    """A number of a graph, as in a course's first exercise."""

    def __init__(self, value, inputs=()):
        self.value = value
        self.inputs = set(inputs)
        self.grad = 0.0
        self.push = lambda: None

    def __add__(self, other):
        out = Node(self.value + other.value, (self, other))

        def push_backward():
            self.grad += out.grad
            other.grad += out.grad

        out.push = push_backward
        return out

    def __mul__(self, other):
        out = Node(self.value * other.value, (self, other))

        def push_backward():
            self.grad += other.value * out.grad
            other.grad += self.value * out.grad

        out.push = push_backward
        return out

    def tanh(self):
        out = Node(math.tanh(self.value))

        def push_backward():
            self.grad += (1 - out.value**2) * out.grad

        out.push = push_backward
        return out

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for each in node.inputs:
                    visit(each)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            node.push()


a, b, c = Node(0.7), Node(-1.3), Node(0.4)
h = (a * b + c).tanh()
y = h * b + c
loss = y * y
loss.backward()
print(round(loss.value, 9), round(a.grad, 9), round(b.grad, 9), round(c.grad, 9))
