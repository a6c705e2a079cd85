"""Row by row, with a learning rate that is too high for each: the loss grows from row to row."""

from stepgrad import SGD, Value

w, b = Value(0.0, label="w"), Value(0.0, label="b")
optimizer = SGD([w, b], learning_rate=1.2)
for _ in range(4):
    for x, t in [(1.0, 2.0), (-0.5, 4.0), (0.3, -6.0), (2.0, 1.0)]:
        loss = (w * x + b - t) ** 2
        loss.label = "loss"
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
