"""A class for each operation, whose constructor calls forward(), and counts users of operands."""

import math


class Node:
    def __init__(self, *inputs):
        self.inputs, self.users = inputs, 0
        self.value, self.gradient = None, 0.0
        for each in inputs:
            each.users += 1
        self.forward()

    def __add__(self, other):
        return Add(self, lifted(other))

    def __mul__(self, other):
        return Mul(self, lifted(other))

    def __rmul__(self, other):
        return Mul(lifted(other), self)


class Input(Node):
    def __init__(self, value):
        self.inputs, self.users = (), 0
        self.value, self.gradient = value, 0.0


def lifted(number):
    return number if isinstance(number, Node) else Input(number)


class Add(Node):
    def forward(self):
        self.value = self.inputs[0].value + self.inputs[1].value

    def backward(self):
        for each in self.inputs:
            each.gradient += self.gradient


class Mul(Node):
    def forward(self):
        self.value = self.inputs[0].value * self.inputs[1].value

    def backward(self):
        a, b = self.inputs
        a.gradient += b.value * self.gradient
        b.gradient += a.value * self.gradient


class Sigmoid(Node):
    def forward(self):
        self.value = 1 / (1 + math.exp(-self.inputs[0].value))

    def backward(self):
        (x,) = self.inputs
        x.gradient += self.value * (1 - self.value) * self.gradient


def backprop(out):
    out.gradient = 1.0
    waiting = [out]
    while waiting:
        node = waiting.pop()
        if node.inputs:
            node.backward()
        for each in node.inputs:
            each.users -= 1
            if each.users == 0:
                waiting.append(each)


w = [Input(0.3), Input(-0.7)]
p = Sigmoid(w[0] * 0.5 + 1.5 * w[1])
loss = p * p + w[0] * p
backprop(loss)
print(f"{loss.value:.6f} {w[0].gradient:.6f} {w[1].gradient:.6f}")
