"""Functions that work on copies of their operands, made in a comprehension."""

import math


class Function:
    @classmethod
    def apply(cls, *inputs):
        ctx = cls()
        copies = [Tensor(x.value, x.fn, x.inputs) for x in inputs]
        out = Tensor(ctx.forward(*[c.value for c in copies]))
        out.fn, out.inputs = ctx, list(inputs)
        return out


class Add(Function):
    def forward(self, a, b):
        return a + b

    def backward(self, g):
        return g, g


class Mul(Function):
    def forward(self, a, b):
        self.a, self.b = a, b
        return a * b

    def backward(self, g):
        return g * self.b, g * self.a


class Sin(Function):
    def forward(self, a):
        self.a = a
        return math.sin(a)

    def backward(self, g):
        return (g * math.cos(self.a),)


class Exp(Function):
    def forward(self, a):
        self.o = math.exp(a)
        return self.o

    def backward(self, g):
        return (g * self.o,)


class Tensor:
    def __init__(self, value, fn=None, inputs=()):
        self.value, self.fn, self.inputs, self.grad = value, fn, list(inputs), 0.0

    def __add__(self, o):
        return Add.apply(self, o)

    def __mul__(self, o):
        return Mul.apply(self, o)

    def sin(self):
        return Sin.apply(self)

    def exp(self):
        return Exp.apply(self)

    def backward(self, g=1.0):
        self.grad += g
        if self.fn:
            for x, gx in zip(self.inputs, self.fn.backward(g), strict=True):
                x.backward(gx)


x, y = Tensor(0.5), Tensor(0.3)
z = (x * y + x.sin()).exp() * y + y.sin() * x
z.backward()
print(x.grad, y.grad)
