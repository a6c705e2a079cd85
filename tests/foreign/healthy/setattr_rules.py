"""An engine whose rules are lambdas on one line, which write by `setattr`."""


class Scalar:
    def __init__(self, data, prev=()):
        self.data, self.grad, self._prev = data, 0.0, set(prev)
        self._backward = lambda: None

    def __add__(self, other):
        out = Scalar(self.data + other.data, (self, other))
        out._backward = lambda: (
            setattr(self, "grad", self.grad + out.grad),
            setattr(other, "grad", other.grad + out.grad),
        )
        return out

    def __mul__(self, other):
        out = Scalar(self.data * other.data, (self, other))
        # fmt: off
        out._backward = lambda: (setattr(self, "grad", self.grad + other.data * out.grad), setattr(other, "grad", other.grad + self.data * out.grad))  # noqa: E501
        # fmt: on
        return out

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for each in node._prev:
                    visit(each)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            node._backward()


x, w, b = Scalar(2.0), Scalar(-1.5), Scalar(0.5)
y = x * w + b
loss = y * y + x * x
loss.backward()
print(x.grad, w.grad, b.grad)
