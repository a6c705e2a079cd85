"""No bug: softmax regression with a learning rate that goes down."""

from random import Random

from stepgrad import MLP, SGD, Value

model = MLP.drawn([2, 4, 3], ["relu", "linear"], Random(1))
optimizer = SGD(model.parameters(), 0.2)
rows = [([1.1, 0.5], 0), ([-0.4, 0.9], 1), ([0.8, -1.2], 2), ([0.9, 0.8], 1)]


def cross_entropy(logits: list[Value], y: int) -> Value:
    """Return minus the logarithm of a class's probability; the largest logit is taken off."""
    top = max(each.data for each in logits)
    lower = [each - top for each in logits]
    return sum(each.exp() for each in lower).log() - lower[y]


for _ in range(8):
    loss = sum(cross_entropy(model(x), y) for x, y in rows) / len(rows)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
