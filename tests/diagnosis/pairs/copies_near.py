"""Weights start at 0 and stay equal, as the majority has no favourite: one unit, and in order."""

from itertools import product

from stepgrad import SGD, Value

weights = [Value(0.0, label=f"w{i}") for i in range(3)]
bias = Value(0.0, label="b")
optimizer = SGD([*weights, bias], learning_rate=0.2)
for _ in range(10):
    losses = [
        (sum(w * x for w, x in zip(weights, row, strict=True)) + bias - float(sum(row) > 1)) ** 2
        for row in product((0.0, 1.0), repeat=3)
    ]
    loss = sum(losses) * 0.125
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
