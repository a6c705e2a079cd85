"""The logarithm takes at least 1e-12: at 0, the gate of max is shut."""

from stepgrad import Value

w, x = Value(8.0, label="w"), Value(5.0, label="x")
for _ in range(3):
    p = 1 / (1 + (-w * x).exp())
    p.label = "p"
    loss = -(1 - p).max(1e-12).log()
    loss.label = "loss"
    w.grad = 0
    loss.backward()
    w.data -= 0.1 * w.grad
