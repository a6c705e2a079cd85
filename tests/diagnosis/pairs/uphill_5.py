"""Symptom: the loss rises. Cause: gradients get the other sign, and are subtracted."""

from stepgrad import SGD, Value

w, b = Value(0.3, label="w"), Value(0.1, label="b")
optimizer = SGD([w, b], 0.05)
for _ in range(5):
    loss = (w * 2 + b - 3) ** 2
    loss.label = "loss"
    optimizer.zero_grad()
    loss.backward()
    for p in (w, b):
        p.grad = -p.grad
    optimizer.step()
