"""Centred data: contributions to b cancel by symmetry; what is left is nothing beside w's."""

from stepgrad import SGD, Value

w, b = Value(0.0, label="w"), Value(0.0, label="b")
optimizer = SGD([w, b], learning_rate=0.05)
for _ in range(5):
    loss = Value(0.0)
    for x in (0.1, 0.2, -0.3):
        loss = loss + (w * x + b - 2 * x) ** 2
    loss.label = "loss"
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
