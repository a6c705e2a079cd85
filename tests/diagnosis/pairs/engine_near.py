"""A scalar of the program's own whose rules are right, in two passes that share a weight."""


class Scalar:
    def __init__(self, data, operands=()):
        self.data, self.grad, self.operands = data, 0.0, operands
        self.rule = lambda: None

    def __add__(self, other):
        out = Scalar(self.data + other.data, (self, other))

        def rule():
            self.grad += out.grad
            other.grad += out.grad

        out.rule = rule
        return out

    def __mul__(self, other):
        out = Scalar(self.data * other.data, (self, other))

        def rule():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out.rule = rule
        return out

    def backward(self):
        order = []

        def visit(node):
            if node not in order:
                for each in node.operands:
                    visit(each)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            node.rule()


w, b = Scalar(-3.0), Scalar(0.5)
for x in (2.0, -1.0):
    y = Scalar(x) * w + b
    (y * y).backward()
