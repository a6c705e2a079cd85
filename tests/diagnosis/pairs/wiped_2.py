"""Nothing moves: a loop by hand clears each gradient just before it uses it."""

from stepgrad import Value

w, b = Value(0.5, label="w"), Value(0.0, label="b")
for _ in range(6):
    loss = (w * 2.0 + b - 3) ** 2
    loss.label = "loss"
    loss.backward()
    for p in (w, b):
        p.grad = 0.0
        p.data -= 0.1 * p.grad
