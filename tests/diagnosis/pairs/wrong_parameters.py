"""Symptom: the loss is constant. Cause: the optimizer got copies of the parameters."""

from stepgrad import SGD, Value

w, b = Value(0.3, label="w"), Value(0.1, label="b")
optimizer = SGD([Value(p.data, label=p.label) for p in (w, b)], learning_rate=0.05)
for _ in range(5):
    loss = (w * 2 + b - 3) ** 2
    loss.label = "loss"
    w.grad = b.grad = 0.0
    loss.backward()
    optimizer.step()
