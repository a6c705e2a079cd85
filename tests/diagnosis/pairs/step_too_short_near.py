"""The minimum has been reached, and lies above 0: nothing moves, and nothing should."""

from stepgrad import SGD, Value

w = Value(2.0000001, label="w")
optimizer = SGD([w], learning_rate=0.1)
for _ in range(15):
    loss = (w - 1) ** 2 + (w - 3) ** 2
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
