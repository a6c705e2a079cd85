"""The loss swings: each update uses the gradients of all passes so far, as none is cleared."""

from stepgrad import SGD, Value

w, b = Value(0.5, label="w"), Value(0.0, label="b")
optimizer = SGD([w, b], learning_rate=0.05)
for _ in range(8):
    loss = (w * 2.0 + b - 3) ** 2
    loss.label = "loss"
    loss.backward()
    optimizer.step()
