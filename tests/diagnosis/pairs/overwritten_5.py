"""Symptom: only the last row is learnt. Cause: `loss =` in the loop, and a function makes it."""

from random import Random

from stepgrad import MLP, SGD, Value

model = MLP.drawn([1, 3, 1], ["tanh", "linear"], Random(0))
optimizer = SGD(model.parameters(), 0.05)


def squared(x: float, y: float) -> Value:
    """Return a row's loss."""
    return (model([x])[0] - y) ** 2


for _ in range(10):
    for x in (0.1, 0.5, 0.9):
        loss = squared(x, x * x)
    loss = loss / 3
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
