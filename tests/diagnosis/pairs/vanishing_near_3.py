"""Near the minimum: the gradient is small at once, and does not fall any further on its way."""

from stepgrad import Value

weights = [Value(1.0, label=f"w{k}") for k in range(1, 13)]
h = Value(1.0, label="x")
for w in weights:
    h = (w * h).relu()
loss = (h - 0.999999) ** 2
loss.label = "loss"
loss.backward()
