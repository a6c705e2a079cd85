"""Nearly: nothing is updated on purpose; where a step would lead is printed."""

from stepgrad import Value

w, b = Value(0.3, label="w"), Value(0.1, label="b")
for _ in range(5):
    loss = (w * 2 + b - 3) ** 2
    loss.label = "loss"
    w.grad = b.grad = 0.0
    loss.backward()
    for p in (w, b):
        there = p.data - 0.05 * p.grad
        print(there)
