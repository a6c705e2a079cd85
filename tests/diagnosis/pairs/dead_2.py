"""Symptom: two of three weights stand still, row by row. Cause: tanh is saturated for each row."""

from stepgrad import Value

w, b, v = Value(50.0, label="w"), Value(0.0, label="b"), Value(0.5, label="v")
rows = [(1.0, 0.3), (-2.0, 0.8), (1.5, 0.1)]
for step in range(30):
    x, t = rows[step % 3]
    h = (w * x + b).tanh()
    h.label = "h"
    loss = (v * h - t) ** 2
    loss.label = "loss"
    loss.backward()
    for p in (w, b, v):
        p.data -= 0.1 * p.grad
        p.grad = 0.0
