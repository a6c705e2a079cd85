# wrong forward, line 47: `1 / x` computes x / 1

import math


class Variable:
    def __init__(self, value, children=None, op="", label=""):
        self.value = value
        self.grad = 0.0
        self.children = children or []
        self.op = op
        self.label = label

    @staticmethod
    def of(other):
        return other if isinstance(other, Variable) else Variable(other)

    def __add__(self, other):
        other = Variable.of(other)
        return Variable(self.value + other.value, [self, other], "add")

    def __sub__(self, other):
        other = Variable.of(other)
        return Variable(self.value - other.value, [self, other], "sub")

    def __mul__(self, other):
        other = Variable.of(other)
        return Variable(self.value * other.value, [self, other], "mul")

    def __truediv__(self, other):
        other = Variable.of(other)
        return Variable(self.value / other.value, [self, other], "div")

    def __pow__(self, other):
        other = Variable.of(other)
        return Variable(self.value**other.value, [self, other], "pow")

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other):
        other = Variable.of(other)
        return Variable(other.value - self.value, [other, self], "sub")

    def __rtruediv__(self, other):
        other = Variable.of(other)
        return Variable(self.value / other.value, [self, other], "div")

    def sigmoid(self):
        return Variable(1 / (1 + math.exp(-self.value)), [self], "sigmoid")

    def sin(self):
        return Variable(math.sin(self.value), [self], "sin")

    def pass_on(self):
        if self.op == "add":
            left, right = self.children
            left.grad += self.grad
            right.grad += self.grad
        elif self.op == "sub":
            left, right = self.children
            left.grad += self.grad
            right.grad -= self.grad
        elif self.op == "mul":
            left, right = self.children
            left.grad += self.grad * right.value
            right.grad += self.grad * left.value
        elif self.op == "div":
            left, right = self.children
            left.grad += self.grad / right.value
            right.grad -= self.grad * left.value / right.value**2
        elif self.op == "pow":
            left, right = self.children
            left.grad += self.grad * right.value * left.value ** (right.value - 1)
            right.grad += self.grad * self.value * math.log(left.value)
        elif self.op == "sigmoid":
            self.children[0].grad += self.grad * self.value * (1 - self.value)
        elif self.op == "sin":
            self.children[0].grad += self.grad * math.cos(self.children[0].value)

    def backward(self):
        order, done = [], []

        def sort(node):
            if any(node is each for each in done):
                return
            done.append(node)
            for child in node.children:
                sort(child)
            order.insert(0, node)

        sort(self)
        self.grad = 1.0
        for node in order:
            node.pass_on()


x = Variable(1.5, label="x")
y = Variable(0.7, label="y")
u = x * y + y.sin()
v = (u - x) / (y + 2)
w = x**y + (3 - v).sigmoid() * u
z = w * w + 1 / x
z.backward()
print(f"z = {z.value:.6f}, dz/dx = {x.grad:.6f}, dz/dy = {y.grad:.6f}")
