"""No bug: the losses are added up. Of each log-softmax, most results are used by nothing."""

from random import Random

from stepgrad import MLP, SGD, Value

model = MLP.drawn([2, 4, 3], ["tanh", "linear"], Random(0))
optimizer = SGD(model.parameters(), 0.05)


def log_softmax(logits: list[Value]) -> list[Value]:
    """Return the logarithm of each class's probability."""
    total = sum(each.exp() for each in logits).log()
    return [each - total for each in logits]


for _ in range(10):
    loss = 0.0
    for x, y in (([0.1, 0.5], 0), ([-0.4, 0.9], 1), ([0.8, -0.2], 2)):
        loss = loss - log_softmax(model(x))[y]
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
