"""An engine with a class for each operation, whose sums begin with `x.derivative or 0`."""

import math


class Context:
    def save_for_backward(self, *numbers):
        self.saved = numbers


class Function:
    @classmethod
    def apply(cls, *inputs):
        context = Context()
        inputs = [each if isinstance(each, Scalar) else Scalar(each) for each in inputs]
        result = Scalar(cls.forward(context, *(each.data for each in inputs)))
        result.history = cls, context, inputs
        return result


class Add(Function):
    @staticmethod
    def forward(context, a, b):
        return a + b

    @staticmethod
    def backward(context, upstream):
        return upstream, upstream


class Mul(Function):
    @staticmethod
    def forward(context, a, b):
        context.save_for_backward(a, b)
        return a * b

    @staticmethod
    def backward(context, upstream):
        a, b = context.saved
        return upstream * b, upstream * a


class Log(Function):
    @staticmethod
    def forward(context, a):
        context.save_for_backward(a)
        return math.log(a)

    @staticmethod
    def backward(context, upstream):
        (a,) = context.saved
        return (upstream / a,)


class Relu(Function):
    @staticmethod
    def forward(context, a):
        context.save_for_backward(a)
        return a if a > 0 else 0.0

    @staticmethod
    def backward(context, upstream):
        (a,) = context.saved
        return (upstream if a > 0 else 0.0,)


class Scalar:
    def __init__(self, data):
        self.data = data
        self.history = self.derivative = None

    def __add__(self, other):
        return Add.apply(self, other)

    def __mul__(self, other):
        return Mul.apply(self, other)

    def log(self):
        return Log.apply(self)

    def relu(self):
        return Relu.apply(self)

    def backward(self):
        order, seen = [], set()

        def visit(scalar):
            if id(scalar) not in seen:
                seen.add(id(scalar))
                if scalar.history:
                    for each in scalar.history[2]:
                        visit(each)
                order.append(scalar)

        visit(self)
        for scalar in order:
            if scalar.history:
                scalar.derivative = 0.0
        self.derivative = 1.0
        for scalar in reversed(order):
            if scalar.history:
                function, context, inputs = scalar.history
                amounts = function.backward(context, scalar.derivative)
                for each, amount in zip(inputs, amounts, strict=True):
                    each.derivative = (each.derivative or 0.0) + amount


a, b = Scalar(0.5), Scalar(2.0)
c = a * b + 3.0
d = c.relu() * -1.5 + c * c.log()
d.backward()
print(d.data, a.derivative, b.derivative)
