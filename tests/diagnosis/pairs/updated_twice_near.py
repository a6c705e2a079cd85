"""Each weight decays, then moves along its gradient: two writes, but one update."""

from stepgrad import Value

w, b = Value(0.2, label="w"), Value(0.1, label="b")
for _ in range(8):
    loss = (w * (w * 2.0) + b - 3) ** 2
    w.grad = b.grad = 0.0
    loss.backward()
    for p in [w, b]:
        p.data -= 0.001 * p.data
        p.data -= 0.02 * p.grad
