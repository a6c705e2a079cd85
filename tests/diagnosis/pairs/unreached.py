"""Symptom: a layer never moves. Cause: its output becomes a plain number."""

from stepgrad import SGD, Value

w, b, v = Value(0.3, label="w"), Value(0.1, label="b"), Value(0.5, label="v")
optimizer = SGD([w, b, v], learning_rate=0.05)
for _ in range(5):
    h = (w * 1.7 + b).tanh()
    h.label = "h"
    loss = (v * h.data - 3) ** 2
    loss.label = "loss"
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
