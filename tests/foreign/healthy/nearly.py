"""Methods that nearly compute what their names say: what is kept from 0, and GPT's GELU.

And a rule of the sigmoid that has digits where s (1 - s) has none.
"""

import math

EPSILON = 1e-8
SLOPE = math.sqrt(2 / math.pi)


class Value:
    def __init__(self, data, children=()):
        self.data, self.grad = data, 0.0
        self.children, self._backward = children, lambda: None

    def __mul__(self, other):
        out = Value(self.data * other.data, (self, other))

        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out._backward = _backward
        return out

    def __truediv__(self, other):
        out = Value(self.data / (other.data + EPSILON), (self, other))

        def _backward():
            self.grad += out.grad / (other.data + EPSILON)
            other.grad -= self.data / (other.data + EPSILON) ** 2 * out.grad

        out._backward = _backward
        return out

    def log(self):
        out = Value(math.log(self.data + EPSILON), (self,))

        def _backward():
            self.grad += out.grad / (self.data + EPSILON)

        out._backward = _backward
        return out

    def sigmoid(self):
        e = math.exp(-self.data)
        out = Value(1 / (1 + e), (self,))

        def _backward():
            self.grad += e / (1 + e) ** 2 * out.grad

        out._backward = _backward
        return out

    def gelu(self):
        x = self.data
        t = math.tanh(SLOPE * (x + 0.044715 * x**3))
        out = Value(x / 2 * (1 + t), (self,))

        def _backward():
            inner = SLOPE * (1 + 3 * 0.044715 * x**2)
            self.grad += ((1 + t) / 2 + x / 2 * (1 - t * t) * inner) * out.grad

        out._backward = _backward
        return out

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for each in node.children:
                    visit(each)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            node._backward()


x, p, far, s = Value(0.08), Value(0.004), Value(-6.9), Value(38.0)
y = x.gelu() * p.log() * (x * x).log() * far.gelu() * s.sigmoid() / p
y.backward()
print(y.data, x.grad, p.grad, far.grad, s.grad)
