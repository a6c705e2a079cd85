"""Symptom: the loss stays where it is. Cause: the line that updates the parameters is missing."""

from stepgrad import Value

w, b = Value(0.3, label="w"), Value(0.1, label="b")
for _ in range(5):
    for x, y in ((1.0, 3.0), (2.0, 5.0)):
        loss = (w * x + b - y) ** 2
        loss.label = "loss"
        w.grad = b.grad = 0.0
        loss.backward()
print(w.data, b.data)
