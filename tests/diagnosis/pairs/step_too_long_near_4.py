"""The loss grows for some steps, as the valley is too steep; they lead to where it is less so."""

from stepgrad import SGD, Value

a, b = Value(3.0, label="a"), Value(0.02, label="b")
optimizer = SGD([a, b], learning_rate=0.3)
for _ in range(20):
    loss = (a * b) ** 2 * 0.5
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
