"""The step comes first in the loop, but so does the loss of the turn before, with its pass."""

from stepgrad import SGD, Value

w = Value(0.5, label="w")
optimizer = SGD([w], learning_rate=0.02)
scale = w * 0 + 2.0
for _ in range(8):
    optimizer.step()
    optimizer.zero_grad()
    loss = (w * scale.data - 3) ** 2
    loss.backward()
