"""Symptom: the loss stops falling. Cause: the model was loaded again, the optimizer was not."""

from stepgrad import SGD, Value

w = Value(0.3, label="w")
optimizer = SGD([w], learning_rate=0.05)
for step in range(8):
    if step == 3:
        w = Value(w.data, label="w")
    loss = (w * 2 - 3) ** 2
    loss.label = "loss"
    optimizer.zero_grad()
    w.grad = 0.0
    loss.backward()
    optimizer.step()
