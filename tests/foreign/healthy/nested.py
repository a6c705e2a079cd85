"""An engine that a function defines, with operands kept in a list, and properties."""

import math


def engine():
    class Real:
        def __init__(self, data, parents=()):
            self._data = float(data)
            self._grad = 0.0
            self.parents = list(parents)
            self.run = None

        @property
        def data(self):
            return self._data

        @data.setter
        def data(self, data):
            self._data = float(data)

        @property
        def grad(self):
            return self._grad

        @grad.setter
        def grad(self, grad):
            self._grad = grad

        def _made(self, data, parents, rule):
            result = Real(data, parents)
            result.run = lambda: rule(result.grad)
            return result

        def __add__(self, other):
            other = other if isinstance(other, Real) else Real(other)

            def rule(g):
                self.grad += g
                other.grad += g

            return self._made(self.data + other.data, (self, other), rule)

        def __mul__(self, other):
            other = other if isinstance(other, Real) else Real(other)

            def rule(g):
                self.grad += other.data * g
                other.grad += self.data * g

            return self._made(self.data * other.data, (self, other), rule)

        __radd__, __rmul__ = __add__, __mul__

        def cube_root(self):
            root = math.exp(math.log(self.data) / 3)

            def rule(g):
                self.grad += g / (3 * root * root)

            return self._made(root, (self,), rule)

        def backward(self):
            order = []

            def visit(node):
                if node not in order:
                    for each in node.parents:
                        visit(each)
                    order.append(node)

            visit(self)
            for node in order:
                node.grad = 0.0
            self.grad = 1.0
            for node in reversed(order):
                if node.run:
                    node.run()

    return Real


Real = engine()
theta = Real(1.7)
offset = Real(4)
for _ in range(3):
    y = (theta * theta + offset).cube_root() * 2 + theta
    y.backward()
    theta.data -= 0.1 * theta.grad
    print(theta.data, theta.grad, offset.grad)
y.backward()
print(theta.grad)
