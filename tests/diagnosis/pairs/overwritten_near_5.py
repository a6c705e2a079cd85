"""No bug: a cell that keeps its state to itself; only its last result is to fit."""

from stepgrad import Value

w, u = Value(0.4, label="w"), Value(0.3, label="u")


class Cell:
    """A sum that fades."""

    def __init__(self) -> None:
        self.state = Value(0.0)

    def __call__(self, x: float) -> Value:
        """Take a number, and return how far the sum is from 1."""
        self.state = self.state * u + w * x
        return (self.state - 1) ** 2


for _ in range(10):
    cell = Cell()
    for x in (1.0, -0.5, 0.25):
        loss = cell(x)
    w.grad = u.grad = 0.0
    loss.backward()
    for p in (w, u):
        p.data -= 0.02 * p.grad
