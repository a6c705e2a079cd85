"""Nothing moves at all: the updates are below the last digit of the weights."""

from stepgrad import SGD, Value

w, b = Value(0.5, label="w"), Value(0.25, label="b")
optimizer = SGD([w, b], learning_rate=1e-18)
for _ in range(15):
    loss = (w * 2.0 + b - 3) ** 2
    loss.label = "loss"
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
