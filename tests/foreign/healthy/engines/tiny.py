"""The class of the program beside this package."""


class Tensor0:
    __slots__ = ("__weakref__", "gradient", "inputs", "rule", "v")

    def __init__(self, v, inputs=()):
        self.v, self.gradient, self.inputs, self.rule = v, 0.0, inputs, None

    def __add__(self, other):
        out = Tensor0(self.v + other.v, [self, other])

        def rule(g):
            self.gradient += g
            other.gradient += g

        out.rule = rule
        return out

    def __mul__(self, other):
        out = Tensor0(self.v * other.v, [self, other])

        def rule(g):
            self.gradient += other.v * g
            other.gradient += self.v * g

        out.rule = rule
        return out

    def __rmul__(self, number):
        return Tensor0(float(number)) * self

    def __sub__(self, other):
        return self + (-1) * other

    def backward(self):
        order = []
        pending = [self]
        while pending:
            node = pending.pop()
            if node in order:
                order.remove(node)
            order.append(node)
            pending.extend(node.inputs)
        self.gradient = 1.0
        for node in order:
            if node.rule is not None:
                node.rule(node.gradient)

    def __str__(self):
        return f"<{self.v}>"
