"""Two players share a loss: what one leaves in the gradients of the other is cleared before use."""

from stepgrad import SGD, Value

a, b = Value(0.5, label="a"), Value(0.4, label="b")
first, second = SGD([a], learning_rate=0.05), SGD([b], learning_rate=0.05)
for _ in range(8):
    first.zero_grad()
    ((a * b - 1) ** 2).backward()
    first.step()
    second.zero_grad()
    ((a * b - 2) ** 2).backward()
    second.step()
