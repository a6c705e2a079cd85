"""An engine that keeps its rules on a tape, and no operands with a node."""

tape = []


class Number:
    def __init__(self, x):
        self.x = x
        self.d = 0.0

    def __add__(self, other):
        other = other if isinstance(other, Number) else Number(other)
        result = Number(self.x + other.x)

        def rule():
            self.d += result.d
            other.d += result.d

        tape.append(rule)
        return result

    def __mul__(self, other):
        other = other if isinstance(other, Number) else Number(other)
        result = Number(self.x * other.x)

        def rule():
            self.d += result.d * other.x
            other.d += result.d * self.x

        tape.append(rule)
        return result

    __rmul__ = __mul__


a, b = Number(2.0), Number(3.0)
c = a * b + a
e = 2 * c * c + 1
e.d = 1.0
for rule in reversed(tape):
    rule()
print(e.x, a.d, b.d)
