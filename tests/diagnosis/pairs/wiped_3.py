"""Symptom: only the last micro-batch counts. Cause: zero_grad() stands in the inner loop."""

from stepgrad import SGD, Value

w, b = Value(0.0, label="w"), Value(0.0, label="b")
optimizer = SGD([w, b], learning_rate=0.01)
batches = [[(1.0, 2.0), (2.0, 4.0)], [(3.0, 6.0), (4.0, 8.0)], [(-1.0, -2.0), (0.5, 1.0)]]
for _ in range(10):
    for (x1, t1), (x2, t2) in batches:
        optimizer.zero_grad()
        loss = ((w * x1 + b - t1) ** 2 + (w * x2 + b - t2) ** 2) / 4
        loss.label = "loss"
        loss.backward()
    optimizer.step()
