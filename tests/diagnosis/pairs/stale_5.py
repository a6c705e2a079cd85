"""Symptom: the last row is not learned. Cause: step() comes before its pass."""

from stepgrad import SGD, Value

w, b = Value(0.0, label="w"), Value(0.0, label="b")
optimizer = SGD([w, b], learning_rate=0.02)
for _ in range(10):
    losses = [(w * x + b - t) ** 2 for x, t in ((1.0, 2.0), (2.0, 4.0), (3.0, 7.0))]
    optimizer.zero_grad()
    losses[0].backward()
    losses[1].backward()
    optimizer.step()
    losses[2].backward()
