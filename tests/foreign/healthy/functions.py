"""An engine whose operations are classes: what one saves on the way forward, it needs back."""

import math


class Context:
    def __init__(self):
        self.saved = ()


class Function:
    @classmethod
    def apply(cls, *inputs):
        inputs = [each if isinstance(each, Scalar) else Scalar(each) for each in inputs]
        context = Context()
        result = Scalar(cls.forward(context, *[each.data for each in inputs]))
        result.function, result.context, result.inputs = cls, context, inputs
        return result


class Plus(Function):
    @staticmethod
    def forward(context, a, b):
        return a + b

    @staticmethod
    def backward(context, upstream):
        return upstream, upstream


class Times(Function):
    @staticmethod
    def forward(context, a, b):
        context.saved = a, b
        return a * b

    @staticmethod
    def backward(context, upstream):
        a, b = context.saved
        return upstream * b, upstream * a


class Sigmoid(Function):
    @staticmethod
    def forward(context, a):
        context.saved = 1 / (1 + math.exp(-a))
        return context.saved

    @staticmethod
    def backward(context, upstream):
        return (upstream * context.saved * (1 - context.saved),)


class Scalar:
    def __init__(self, data):
        self.data, self.grad = data, 0.0
        self.function = self.context = None
        self.inputs = ()

    def __add__(self, other):
        return Plus.apply(self, other)

    def __mul__(self, other):
        return Times.apply(self, other)

    def sigmoid(self):
        return Sigmoid.apply(self)

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
            if node.function:
                upstreams = node.function.backward(node.context, node.grad)
                for each, amount in zip(node.inputs, upstreams, strict=True):
                    each.grad += amount


a, b = Scalar(0.5), Scalar(-2.0)
c = (a * b + 1.5).sigmoid()
d = c * c + a
d.backward()
print(d.data, a.grad, b.grad)
