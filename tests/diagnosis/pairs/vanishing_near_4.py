"""Residual connections: the gradient goes around the factors."""

from stepgrad import Value

weights = [Value(0.5, label=f"w{k}") for k in range(1, 21)]
h = Value(1.0, label="x")
for w in weights:
    h = h + 0.1 * (w * h).sigmoid()
loss = (h - 0.9) ** 2
loss.label = "loss"
loss.backward()
