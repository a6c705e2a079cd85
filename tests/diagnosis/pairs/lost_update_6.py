"""Symptom: the loss is constant. Cause: the loop variable is updated, and then cleared."""

from stepgrad import Value

w, b = Value(0.3, label="w"), Value(0.1, label="b")
for _ in range(5):
    loss = (w * 2 + b - 3) ** 2
    loss.label = "loss"
    loss.backward()
    for p in (w, b):
        p = p - 0.05 * p.grad  # noqa: PLW2901
        p.grad = 0.0
