"""The same with rows that are accumulated one by one, and not divided by their number."""

from stepgrad import SGD, Value

rows = [(k / 4 - 1, k / 4) for k in range(8)]
w, b = Value(0.0, label="w"), Value(0.0, label="b")
optimizer = SGD([w, b], learning_rate=0.2)
for _ in range(6):
    optimizer.zero_grad()
    for x, t in rows:
        loss = (w * x + b - t) ** 2
        loss.label = "loss"
        loss.backward()
    optimizer.step()
