"""Symptom: only the last row is learnt. Cause: `loss =` in the loop over rows, in place of `+=`."""

from stepgrad import Value

w, b = Value(0.1, label="w"), Value(0.0, label="b")
for _ in range(10):
    for x, y in [(1.0, 3.0), (2.0, 5.0), (3.0, 7.0)]:
        loss = (w * x + b - y) ** 2
    w.grad = b.grad = 0.0
    loss.backward()
    for p in (w, b):
        p.data -= 0.02 * p.grad
