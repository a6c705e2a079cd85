"""b hardly learns: clipping to the norm that a large input of a makes scales down all gradients."""

from stepgrad import SGD, Value, clip_norm

a, b = Value(0.0, label="a"), Value(0.0, label="b")
optimizer = SGD([a, b], learning_rate=0.01)
for _ in range(12):
    loss = (a * 100.0 - 50) ** 2 + (b - 3) ** 2
    loss.label = "loss"
    optimizer.zero_grad()
    loss.backward()
    clip_norm([a, b], 1.0)
    optimizer.step()
