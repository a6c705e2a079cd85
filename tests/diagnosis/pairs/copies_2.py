"""Two hidden units by hand, with the same weights: they stay one unit."""

from stepgrad import Value

names = ("w1", "w2", "v1", "v2")
w1, w2, v1, v2 = parameters = [Value(0.5, label=name) for name in names]
for _ in range(10):
    losses = [
        (v1 * (w1 * x).tanh() + v2 * (w2 * x).tanh() - t) ** 2 for x, t in [(0.5, 1.0), (-1.0, 0.2)]
    ]
    loss = losses[0] + losses[1]
    loss.label = "loss"
    for p in parameters:
        p.grad = 0.0
    loss.backward()
    for p in parameters:
        p.data -= 0.05 * p.grad
