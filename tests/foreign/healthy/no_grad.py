"""An engine that keeps no graph where no gradients are asked for, and none of what needs none."""

import math
from contextlib import contextmanager


class Number:
    grads = True

    def __init__(self, value, before=(), needs_grad=True):
        self.value = value
        self.before = tuple(each for each in before if each[0].needs_grad)
        self.needs_grad = needs_grad
        self.grad = 0.0

    def __add__(self, other):
        if not Number.grads:
            return Number(self.value + other.value, needs_grad=False)
        return Number(self.value + other.value, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        if not Number.grads:
            return Number(self.value * other.value, needs_grad=False)
        return Number(self.value * other.value, [(self, other.value), (other, self.value)])

    def tanh(self):
        t = math.tanh(self.value)
        return Number(t, [(self, 1 - t * t)] if Number.grads else [], Number.grads)

    def backward(self):
        order, seen = [], set()

        def visit(number):
            if number not in seen:
                seen.add(number)
                for each, _ in number.before:
                    visit(each)
                order.append(number)

        visit(self)
        self.grad = 1.0
        for number in reversed(order):
            for each, local in number.before:
                each.grad += local * number.grad


@contextmanager
def no_grad():
    Number.grads = False
    yield
    Number.grads = True


x, w, b = Number(0.5, needs_grad=False), Number(-0.8), Number(0.1)
with no_grad():
    print(round((x * w + b).tanh().value, 9))
y = x * w + b
loss = y * y
loss.backward()
print(round(loss.value, 9), round(w.grad, 9), round(b.grad, 9), x.grad)
