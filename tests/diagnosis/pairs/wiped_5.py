"""The loss stays where it is: the update comes before backward(), where all gradients are clear."""

from stepgrad import Value

w, b = Value(0.5, label="w"), Value(0.0, label="b")
for _ in range(6):
    loss = (w * 2.0 + b - 3) ** 2
    loss.label = "loss"
    w.grad = b.grad = 0.0
    for p in (w, b):
        p.data -= 0.1 * p.grad
    loss.backward()
