"""An engine with operations of many operands, and gradients that begin as None."""

import math


class Var:
    made = 0

    def __init__(self, value, creator=None, inputs=()):
        self.number = Var.made
        Var.made += 1
        self.value = value
        self.grad = None
        self.creator = creator
        self.inputs = inputs

    def __add__(self, other):
        return Var(self.value + other.value, "add", (self, other))

    def __mul__(self, other):
        return Var(self.value * other.value, "mul", (self, other))

    @staticmethod
    def dot(xs, ys):
        value = sum(x.value * y.value for x, y in zip(xs, ys, strict=True))
        return Var(value, "dot", (*xs, *ys))

    def receive(self, amount):
        if self.grad is None:
            self.grad = amount
        else:
            self.grad = self.grad + amount

    def derivatives(self):
        values = [each.value for each in self.inputs]
        if self.creator == "add":
            return [1.0, 1.0]
        if self.creator == "mul":
            return values[::-1]
        if self.creator == "dot":
            half = len(values) // 2
            return values[half:] + values[:half]
        if self.creator == "largest":
            return [float(each == self.value) for each in values]
        return [math.exp(each - self.value) for each in values]

    def backward(self):
        self.grad = 1.0
        for node in sorted(reached(self), key=lambda each: -each.number):
            for each, derivative in zip(node.inputs, node.derivatives(), strict=True):
                each.receive(node.grad * derivative)


def reached(node, found=None):
    found = {} if found is None else found
    if id(node) not in found:
        found[id(node)] = node
        for each in node.inputs:
            reached(each, found)
    return found.values()


def logsumexp(*variables):
    value = math.log(sum(math.exp(each.value) for each in variables))
    return Var(value, "logsumexp", variables)


def largest(variables):
    return Var(max(each.value for each in variables), "largest", tuple(variables))


xs = [Var(0.1 * i) for i in range(4)]
ys = [Var(1.0 - 0.3 * i) for i in range(4)]
d = Var.dot(xs, ys)
m = largest([d, xs[2], ys[3]])
z = logsumexp(d, m, xs[1]) * d + Var.dot(xs, xs)
z.backward()
print(z.value, [x.grad for x in xs], [y.grad for y in ys])
