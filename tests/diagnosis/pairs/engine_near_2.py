"""A scalar of the program's own at a kink, where a rule may pass on all or nothing."""


class Scalar:
    def __init__(self, data, operands=(), local=()):
        self.data, self.grad, self.operands, self.local = data, 0.0, operands, local

    def __add__(self, other):
        return Scalar(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        return Scalar(self.data * other.data, (self, other), (other.data, self.data))

    def relu(self):
        return Scalar(max(self.data, 0.0), (self,), (float(self.data >= 0),))

    def backward(self):
        self.grad = 1.0
        ready = [self]
        while ready:
            node = ready.pop(0)
            for operand, local in zip(node.operands, node.local, strict=True):
                operand.grad += local * node.grad
                ready.append(operand)


x, w = Scalar(2.0), Scalar(0.0)
y = (x * w).relu() * Scalar(0.5)
y.backward()
