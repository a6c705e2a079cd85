"""Two losses of one network, each with a backward pass of its own before the update."""

from stepgrad import SGD, Value

w = Value(0.5, label="w")
optimizer = SGD([w], learning_rate=0.02)
for _ in range(8):
    h = w * 2.0
    optimizer.zero_grad()
    ((h - 3) ** 2).backward()
    ((h * h - 9) ** 2 * 0.1).backward()
    optimizer.step()
