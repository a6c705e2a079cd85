"""An engine as in PyTorch: a result keeps the operation that made it, and this keeps the inputs."""

import math


class Function:
    @classmethod
    def apply(cls, *inputs):
        function = cls()
        function.inputs = [each if isinstance(each, Scalar) else Scalar(each) for each in inputs]
        result = Scalar(function.forward(*[each.data for each in function.inputs]))
        result.function = function
        return result


class Add(Function):
    def forward(self, a, b):
        return a + b

    def backward(self, upstream):
        return upstream, upstream


class Multiply(Function):
    def forward(self, a, b):
        self.saved = a, b
        return a * b

    def backward(self, upstream):
        a, b = self.saved
        return upstream * b, upstream * a


class Sigmoid(Function):
    def forward(self, a):
        self.saved = 1 / (1 + math.exp(-a))
        return self.saved

    def backward(self, upstream):
        return (upstream * self.saved * (1 - self.saved),)


class Bump(Function):
    def forward(self, a):
        self.saved = a
        return math.exp(-a * a)

    def backward(self, upstream):
        return (upstream * -2 * self.saved * math.exp(-self.saved * self.saved),)


class Scalar:
    def __init__(self, data):
        self.data = data
        self.grad = None
        self.function = None

    def __add__(self, other):
        return Add.apply(self, other)

    def __mul__(self, other):
        return Multiply.apply(self, other)

    def sigmoid(self):
        return Sigmoid.apply(self)

    def bump(self):
        return Bump.apply(self)

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node.function is not None and node not in seen:
                seen.add(node)
                for each in node.function.inputs:
                    visit(each)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            amounts = node.function.backward(node.grad)
            for each, amount in zip(node.function.inputs, amounts, strict=True):
                each.grad = amount if each.grad is None else each.grad + amount


a, b = Scalar(0.5), Scalar(-2.0)
c = (a * b + 1.5).sigmoid()
d = c * c + Multiply.apply(a, a).bump()
d.backward()
print(d.data, a.grad, b.grad)
