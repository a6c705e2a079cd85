"""Symptom: the loss is constant. Cause: backward() is not called, for want of parentheses."""

from stepgrad import Value

w, b = Value(0.3, label="w"), Value(0.1, label="b")
for _ in range(5):
    loss = (w * 2 + b - 3) ** 2
    loss.label = "loss"
    w.grad = b.grad = 0.0
    loss.backward  # noqa: B018
    for p in (w, b):
        p.data -= 0.05 * p.grad
