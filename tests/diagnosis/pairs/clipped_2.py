"""The same by hand: the gradients are scaled to a norm of 1."""

from stepgrad import Value

a, b = Value(0.0, label="a"), Value(0.0, label="b")
for _ in range(12):
    loss = (a * 100.0 - 50) ** 2 + (b - 3) ** 2
    loss.label = "loss"
    a.grad = b.grad = 0.0
    loss.backward()
    norm = (a.grad**2 + b.grad**2) ** 0.5
    for p in (a, b):
        p.grad *= min(1.0, 1.0 / norm)
    for p in (a, b):
        p.data -= 0.01 * p.grad
