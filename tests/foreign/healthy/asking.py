"""An engine with a tape, functions beside its class, and numbers that ask for no gradient."""

import math

tape = []


class Tensor:
    def __init__(self, data, requires_grad=False):
        self.data = data
        self.requires_grad = requires_grad
        self.grad = 0.0 if requires_grad else None

    def __add__(self, other):
        return add(self, other)

    def __mul__(self, other):
        return mul(self, other)

    def __sub__(self, other):
        return add(self, mul(other, -1.0))

    def backward(self):
        self.grad = 1.0
        for rule in reversed(tape):
            rule()
        tape.clear()


def tensor(x):
    return x if isinstance(x, Tensor) else Tensor(x)


def add(a, b):
    a, b = tensor(a), tensor(b)
    out = Tensor(a.data + b.data, a.requires_grad or b.requires_grad)
    if out.requires_grad:

        def rule():
            if a.requires_grad:
                a.grad += out.grad
            if b.requires_grad:
                b.grad += out.grad

        tape.append(rule)
    return out


def mul(a, b):
    a, b = tensor(a), tensor(b)
    out = Tensor(a.data * b.data, a.requires_grad or b.requires_grad)
    if out.requires_grad:

        def rule():
            if a.requires_grad:
                a.grad += b.data * out.grad
            if b.requires_grad:
                b.grad += a.data * out.grad

        tape.append(rule)
    return out


def sin(a):
    out = Tensor(math.sin(a.data), a.requires_grad)
    if out.requires_grad:

        def rule():
            a.grad += math.cos(a.data) * out.grad

        tape.append(rule)
    return out


def swish(a):
    s = 1 / (1 + math.exp(-a.data))
    out = Tensor(a.data * s, a.requires_grad)
    if out.requires_grad:

        def rule():
            a.grad += (s + out.data * (1 - s)) * out.grad

        tape.append(rule)
    return out


w, b = Tensor(0.5, True), Tensor(-0.2, requires_grad=True)
x, target = Tensor(2.0), Tensor(0.3)
for _ in range(2):
    error = swish(sin(w * x + b)) - target
    loss = error * error
    w.grad = b.grad = 0.0
    loss.backward()
    for p in (w, b):
        p.data -= 0.1 * p.grad
    print(loss.data, w.grad, b.grad)
