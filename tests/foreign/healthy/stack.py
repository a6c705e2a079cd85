"""Functions with a forward and a backward, whose gradients travel on a stack, path by path."""


class Number:
    def __init__(self, data, creator=None):
        self.data = data
        self.grad = None
        self.creator = creator

    def __add__(self, other):
        return Add.apply(self, other)

    def __sub__(self, other):
        return Sub.apply(self, other)

    def __mul__(self, other):
        return Mul.apply(self, other)

    def backward(self, grad=1.0):
        stack = [(self, grad)]
        while stack:
            node, arrived = stack.pop()
            node.grad = (node.grad or 0.0) + arrived
            if node.creator:
                shares = node.creator.backward(arrived)
                for operand, share in zip(node.creator.inputs, shares, strict=True):
                    stack.append((operand, share))


class Function:
    @classmethod
    def apply(cls, *inputs):
        made = cls()
        made.inputs = inputs
        return Number(made.forward(*[each.data for each in inputs]), made)


class Add(Function):
    def forward(self, a, b):
        return a + b

    def backward(self, grad):
        return grad, grad


class Sub(Function):
    def forward(self, a, b):
        return a - b

    def backward(self, grad):
        return grad, -grad


class Mul(Function):
    def forward(self, a, b):
        self.a, self.b = a, b
        return a * b

    def backward(self, grad):
        return grad * self.b, grad * self.a


w, x, t = Number(3.0), Number(2.0), Number(1.0)
for step in range(3):
    d = w * x - t
    loss = d * d * x + d
    w.grad = x.grad = t.grad = None
    loss.backward()
    w.data -= 0.01 * w.grad
    print(f"step {step}: loss {loss.data:.6f}")
