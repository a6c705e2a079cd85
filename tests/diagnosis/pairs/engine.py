"""A scalar of the program's own whose product hands its second operand its own number."""


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
            other.grad += other.data * out.grad

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


x, w, b = Scalar(2.0), Scalar(-3.0), Scalar(0.5)
y = x * w + b
(y * y).backward()
