"""Symptom: each row counts twice. Cause: a pass from each row's loss, and one from their sum."""

from stepgrad import SGD, Value

w, b = Value(0.1, label="w"), Value(0.0, label="b")
optimizer = SGD([w, b], learning_rate=0.02)
for _ in range(8):
    optimizer.zero_grad()
    total = Value(0.0, label="total")
    for x in (1.0, 2.0, 3.0):
        loss = (w * x + b - 2 * x) ** 2
        loss.label = "loss"
        loss.backward()
        total = total + loss
    total.backward()
    optimizer.step()
