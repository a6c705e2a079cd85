"""A gate is shut for one row in three, and the input of another weight is 0."""

from stepgrad import SGD, Value

w, b, v, u = (
    Value(start, label=name) for start, name in [(1.0, "w"), (0, "b"), (0.5, "v"), (1, "u")]
)
optimizer = SGD([w, b, v, u], learning_rate=0.001)
for _ in range(15):
    rows = [(1.0, 2.0), (-1.0, 2.0), (2.0, -2.0)]
    loss = sum((v * (w * x + b).relu() + u * 0.0 - t) ** 2 for x, t in rows)
    loss.label = "loss"
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
