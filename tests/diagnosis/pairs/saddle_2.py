"""Symptom: the loss is constant. Cause: two factors that both start at 0."""

from stepgrad import SGD, Value

a, b = Value(0.0, label="a"), Value(0.0, label="b")
optimizer = SGD([a, b], learning_rate=0.1)
for x, t in [(1.0, 2.0), (2.0, 4.0), (0.0, 0.0), (3.0, 6.0)]:
    loss = (a * b * x - t) ** 2
    loss.label = "loss"
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
