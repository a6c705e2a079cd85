"""Symptom: the loss is constant. Cause: no parentheses, so nothing is updated."""

from stepgrad import SGD, Value

w, b = Value(0.3, label="w"), Value(0.1, label="b")
optimizer = SGD([w, b], 0.05)
for _ in range(5):
    loss = (w * 2 + b - 3) ** 2
    loss.label = "loss"
    optimizer.zero_grad()
    loss.backward()
    optimizer.step  # noqa: B018 - the mistake
