"""Symptom: half of the network learns nothing. Cause: a gate is shut for every row."""

from stepgrad import SGD, Value

w1, b1, v1 = Value(0.5, label="w1"), Value(-5.0, label="b1"), Value(1.0, label="v1")
w2, b2, v2 = Value(0.5, label="w2"), Value(1.0, label="b2"), Value(1.0, label="v2")
optimizer = SGD([w1, b1, v1, w2, b2, v2], learning_rate=0.01)
rows = [(1.0, 4.0), (2.0, -3.0), (-1.0, 5.0)]
for step in range(36):
    x, t = rows[step % 3]
    h1, h2 = (w1 * x + b1).relu(), (w2 * x + b2).relu()
    kept = [(2.0, 2.0), (0.0, 2.0), (2.0, 0.0), (0.0, 2.0)][step % 4]
    loss = (v1 * h1 * kept[0] + v2 * h2 * kept[1] - t) ** 2
    loss.label = "loss"
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
