"""A node adds to its gradient after it has called its operands."""

import math


class Function:
    @classmethod
    def apply(cls, *inputs):
        inputs = [each if isinstance(each, Tensor) else Tensor(each) for each in inputs]
        saved = []
        value = cls.forward(saved, *[each.value for each in inputs])
        return Tensor(value, cls, saved, inputs)


class Add(Function):
    @staticmethod
    def forward(saved, a, b):
        return a + b

    @staticmethod
    def backward(saved, g):
        return g, g


class Sub(Function):
    @staticmethod
    def forward(saved, a, b):
        return a - b

    @staticmethod
    def backward(saved, g):
        return g, -g


class Mul(Function):
    @staticmethod
    def forward(saved, a, b):
        saved += a, b
        return a * b

    @staticmethod
    def backward(saved, g):
        a, b = saved
        return g * b, g * a


class Sin(Function):
    @staticmethod
    def forward(saved, a):
        saved += (a,)
        return math.sin(a)

    @staticmethod
    def backward(saved, g):
        (a,) = saved
        return (g * math.cos(a),)


class Tensor:
    def __init__(self, value, function=None, saved=(), inputs=()):
        self.value, self.grad = value, 0.0
        self.function, self.saved, self.inputs = function, saved, inputs

    def __add__(self, other):
        return Add.apply(self, other)

    def __sub__(self, other):
        return Sub.apply(self, other)

    def __rsub__(self, other):
        return Sub.apply(other, self)

    def __mul__(self, other):
        return Mul.apply(self, other)

    def sin(self):
        return Sin.apply(self)

    def backward(self, g=1.0):
        if self.function is None:
            self.grad += g
            return
        for each, arrived in zip(self.inputs, self.function.backward(self.saved, g), strict=True):
            each.backward(arrived)
        self.grad += g


a = Tensor(1.5)
b = Tensor(-0.5)
c = Tensor(2.0)
u = a * b + c
y = (u - a).sin() * (3 - b) + u * u
y.backward()
print(f"{y.value:.5f} {a.grad:.5f} {b.grad:.5f} {c.grad:.5f}")
