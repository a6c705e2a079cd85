"""Symptom: w is nan after the third step. Cause: a gradient that is written by hand is 0/0."""

from stepgrad import SGD, Value

w = Value(2.0, label="w")
sgd = SGD([w], learning_rate=0.1)
for size in (2.0, 1.0, 0.0):
    loss = (w - 1) ** 2
    loss.label = "loss"
    w.grad = 0
    loss.backward()
    w.grad = w.grad / size if size else float("nan")
    sgd.step()
