"""Two rows that disagree, in turns: the gradient turns with the row, not with the step."""

from stepgrad import SGD, Value

w = Value(1.0, label="w")
optimizer = SGD([w], learning_rate=0.01)
for t in [0.0, 2.0] * 10:
    loss = (w - t) ** 2
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
