"""Rows whose gradients are cleared are added up; the sum is a multiple of the last, as all fit."""

from stepgrad import Value

w = Value(0.0, label="w")
for _ in range(10):
    total = 0.0
    for x in (1.0, 2.0, 3.0):
        w.grad = 0.0
        ((w * x - 2 * x) ** 2).backward()
        total += w.grad
    w.data -= 0.02 * total
