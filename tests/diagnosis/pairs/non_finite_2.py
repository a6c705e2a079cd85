"""Symptom: the loss is inf. Cause: 1 + exp(−z) swallows exp(−z), so p is 1: log(0)."""

from stepgrad import Value

w, x = Value(8.0, label="w"), Value(5.0, label="x")
for _ in range(3):
    p = 1 / (1 + (-w * x).exp())
    p.label = "p"
    loss = -(1 - p).log()
    loss.label = "loss"
    w.grad = 0
    loss.backward()
    w.data -= 0.1 * w.grad
