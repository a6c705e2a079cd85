"""A few steps are clipped at first, then none."""

from stepgrad import SGD, Value, clip_norm

a, b = Value(4.0, label="a"), Value(0.0, label="b")
optimizer = SGD([a, b], learning_rate=0.2)
for _ in range(12):
    loss = (a - 1) ** 2 + (b - 3) ** 2
    optimizer.zero_grad()
    loss.backward()
    clip_norm([a, b], 4.0)
    optimizer.step()
