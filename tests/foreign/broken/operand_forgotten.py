# left out, line 17: the second operand is not among the children

import math


class Num:
    __slots__ = ("_children", "_local_grads", "data", "grad")

    def __init__(self, data, children=(), local_grads=()):
        self.data = data
        self.grad = 0
        self._children = children
        self._local_grads = local_grads

    def __add__(self, other):
        other = other if isinstance(other, Num) else Num(other)
        return Num(self.data + other.data, (self,), (1,))

    def __mul__(self, other):
        other = other if isinstance(other, Num) else Num(other)
        return Num(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, power):
        return Num(self.data**power, (self,), (power * self.data ** (power - 1),))

    def log(self):
        return Num(math.log(self.data), (self,), (1 / self.data,))

    def exp(self):
        return Num(math.exp(self.data), (self,), (math.exp(self.data),))

    def relu(self):
        return Num(max(0, self.data), (self,), (float(self.data > 0),))

    def __neg__(self):
        return self * -1

    def __radd__(self, other):
        return self + other

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return other + (-self)

    def __rmul__(self, other):
        return self * other

    def __truediv__(self, other):
        return self * other**-1

    def __rtruediv__(self, other):
        return other * self**-1

    def backward(self):
        topo = []
        visited = set()

        def build_topo(v):
            if v not in visited:
                visited.add(v)
                for child in v._children:
                    build_topo(child)
                topo.append(v)

        build_topo(self)
        self.grad = 1
        for v in reversed(topo):
            for child, local_grad in zip(v._children, v._local_grads, strict=True):
                child.grad += local_grad * v.grad


def linear(x, w):
    return [sum(wi * xi for wi, xi in zip(wo, x, strict=True)) for wo in w]


def softmax(logits):
    top = max(each.data for each in logits)
    exps = [(each - top).exp() for each in logits]
    total = sum(exps)
    return [each / total for each in exps]


weights = [[Num(0.2 * i - 0.3 * j + 0.1) for j in range(3)] for i in range(4)]
readout = [[Num(0.15 * j - 0.1 * i * j) for j in range(4)] for i in range(2)]
for step in range(3):
    losses = []
    for x, target in (([1.0, -0.5, 2.0], 0), ([0.3, 0.8, -1.0], 1)):
        hidden = [each.relu() for each in linear([Num(each) for each in x], weights)]
        losses.append(-softmax(linear(hidden, readout))[target].log())
    loss = (1 / len(losses)) * sum(losses)
    loss.backward()
    print(f"step {step}: loss {loss.data:.6f}")
    for p in (p for matrix in (weights, readout) for row in matrix for p in row):
        p.data -= 0.5 * p.grad
        p.grad = 0
