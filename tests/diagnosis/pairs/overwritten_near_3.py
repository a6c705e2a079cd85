"""No bug: a recurrent cell, whose state is replaced in a loop and read there."""

from stepgrad import Value

w, u = Value(0.4, label="w"), Value(0.3, label="u")
for _ in range(10):
    h = Value(0.0)
    for x in (1.0, -0.5, 0.25):
        h = (h * u + w * x - 1) ** 2
    w.grad = u.grad = 0.0
    h.backward()
    for p in (w, u):
        p.data -= 0.02 * p.grad
