# left out, line 12: the second operand is not among the parents


class Number:
    def __init__(self, v, parents=()):
        self.v = v
        self.parents = parents
        self.g = 0.0

    def __add__(self, o):
        o = o if isinstance(o, Number) else Number(o)
        return Number(self.v + o.v, [(self, 1.0)])

    def __mul__(self, o):
        o = o if isinstance(o, Number) else Number(o)
        return Number(self.v * o.v, [(self, o.v), (o, self.v)])

    def backprop(self, upstream=1.0):
        self.g += upstream
        for parent, local in self.parents:
            parent.backprop(upstream * local)


w, b, x = Number(2.0), Number(1.0), Number(3.0)
for step in range(3):
    y = w * x + b
    loss = y * y
    w.g = b.g = x.g = 0.0
    loss.backprop()
    w.v -= 0.01 * w.g
    b.v -= 0.01 * b.g
    print(f"step {step}: loss {loss.v:.6f}")
