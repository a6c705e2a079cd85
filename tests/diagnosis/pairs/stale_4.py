"""Symptom: w never settles. Cause: weights are clamped after the loss, before its pass."""

from stepgrad import Value

w, b = Value(1.5, label="w"), Value(0.0, label="b")
for _ in range(8):
    loss = ((w * 1.0 + b - 2.0) ** 2 + (w * 3.0 + b - 6.0) ** 2) / 2
    loss.label = "loss"
    for p in (w, b):
        p.data = max(-1.0, min(1.0, p.data))
        p.grad = 0.0
    loss.backward()
    for p in (w, b):
        p.data -= 0.05 * p.grad
