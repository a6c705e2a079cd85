"""The gates of a hinge loss are shut for every row: that is how it says that all is learned."""

from stepgrad import SGD, Value

w, b = Value(0.1, label="w"), Value(0.0, label="b")
optimizer = SGD([w, b], learning_rate=0.5)
for _ in range(40):
    loss = sum((1 - t * (w * x + b)).relu() for x, t in [(2.0, 1), (-1.0, -1), (3.0, 1)])
    loss.label = "loss"
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
