# overwrites, line 27: backward assigns where it should add

import math


class Var:
    def __init__(self, value, parents=()):
        self.value = value
        self.parents = parents
        self.grad = 0.0

    def __add__(self, other):
        other = other if isinstance(other, Var) else Var(other)
        return Var(self.value + other.value, ((self, 1.0), (other, 1.0)))

    def __sub__(self, other):
        return self + other * -1.0

    def __mul__(self, other):
        other = other if isinstance(other, Var) else Var(other)
        return Var(self.value * other.value, ((self, other.value), (other, self.value)))

    def sin(self):
        return Var(math.sin(self.value), ((self, math.cos(self.value)),))

    def backward(self, upstream=1.0):
        self.grad = upstream
        for parent, local in self.parents:
            parent.backward(upstream * local)


x = Var(0.8)
y = Var(-1.2)
s = x * y
t = s.sin() + s * 2.0
z = t * t - x * t
z.backward()
print(round(z.value, 9), round(x.grad, 9), round(y.grad, 9))
