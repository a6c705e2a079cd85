"""Nearly: sizes of gradients, for whoever stops here with a debugger; nothing is trained."""

from stepgrad import Value

w, b = Value(0.3, label="w"), Value(0.1, label="b")
for x in (1.0, 2.0, 3.0):
    loss = (w * x + b - 3) ** 2
    w.grad = b.grad = 0.0
    loss.backward()
    for p in (w, b):
        size = p.grad**2
