"""Nearly: sensitivities of three results; a step is tried once and forgotten."""

from stepgrad import Value

w, b = Value(0.3, label="w"), Value(0.1, label="b")
for x in (1.0, 2.0):
    loss = (w * x + b - 3) ** 2
    loss.label = "loss"
    w.grad = b.grad = 0.0
    loss.backward()
    for p in (w, b):
        q = p.data - 0.05 * p.grad
