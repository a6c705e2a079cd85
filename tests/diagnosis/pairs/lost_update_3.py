"""Symptom: the loss is constant. Cause: a comparison, where an assignment was meant."""

from stepgrad import Value

w, b = Value(0.3, label="w"), Value(0.1, label="b")
for _ in range(5):
    loss = (w * 2 + b - 3) ** 2
    loss.label = "loss"
    w.grad = b.grad = 0.0
    loss.backward()
    for p in (w, b):
        p.data == p.data - 0.05 * p.grad  # noqa: B015
