"""At the minimum, what the rows contribute cancels; it did not when the training began."""

from stepgrad import SGD, Value

w = Value(0.0, label="w")
optimizer = SGD([w], learning_rate=0.1)
for _ in range(60):
    loss = (w - 1) ** 2 + (w - 2) ** 2
    loss.label = "loss"
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
