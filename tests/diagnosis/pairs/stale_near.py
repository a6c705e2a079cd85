"""Inputs are written in place, and weights nudged and put back before the loss is computed."""

from stepgrad import SGD, Value

w, x = Value(0.5, label="w"), Value(1.0, label="x")
optimizer = SGD([w], learning_rate=0.02)
for row, t in [(1.0, 2.0), (2.0, 3.5), (-1.0, -2.0)] * 3:
    x.data = row
    w.data += 1e-3
    nudged = (w * x - t) ** 2
    w.data -= 1e-3
    loss = (w * x - t) ** 2
    print((nudged.data - loss.data) / 1e-3)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
