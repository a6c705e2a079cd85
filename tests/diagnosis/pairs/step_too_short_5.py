"""Symptom: the loss stands from the fourth step on. Cause: a rate that decays far too fast."""

from stepgrad import SGD, Value

w, b = Value(0.0, label="w"), Value(0.0, label="b")
optimizer = SGD([w, b], learning_rate=0.1)
for step in range(20):
    loss = sum((w * x + b - 2 * x - 1) ** 2 for x in (1.0, 2.0, 3.0)) / 3
    loss.label = "loss"
    optimizer.learning_rate = 0.1 * 0.01**step
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
