"""Symptom: only the last row counts. Cause: gradients are cleared for each, and used after all."""

from stepgrad import Value

w, b = Value(0.1, label="w"), Value(0.0, label="b")
for _ in range(10):
    for x in (1.0, 2.0, 3.0, 4.0):
        w.grad = b.grad = 0.0
        ((w * x + b - (2 * x + 1)) ** 2).backward()
    for p in (w, b):
        p.data -= 0.01 * p.grad
