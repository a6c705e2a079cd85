"""An engine that weighs numbers and takes means of them."""


class Value:
    def __init__(self, data, children=()):
        self.data, self.grad = data, 0.0
        self._prev, self._backward = set(children), lambda: None

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other))

        def _backward():
            self.grad += out.grad
            other.grad += out.grad

        out._backward = _backward
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other))

        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out._backward = _backward
        return out

    def __pow__(self, n):
        out = Value(self.data**n, (self,))

        def _backward():
            self.grad += n * self.data ** (n - 1) * out.grad

        out._backward = _backward
        return out

    def __truediv__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return self * other**-1

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for child in node._prev:
                    visit(child)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            node._backward()


def mean(values):
    total = values[0]
    for each in values[1:]:
        total = total + each
    return total / len(values)


w = [Value(0.5), Value(-1.5), Value(2.0)]
weighted = [each * x for each, x in zip(w, [1.0, 2.0, 0.0], strict=True)]
spread = mean([w[0] * w[1], w[1] * w[2]])
y = mean(weighted) / (mean(w) + spread * spread) + mean([spread, w[2]])
y.backward()
print(f"{y.data:.5f}", *[f"{each.grad:.5f}" for each in w])
