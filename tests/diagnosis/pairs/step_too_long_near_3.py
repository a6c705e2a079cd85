"""A mean error: it has been learned, and each small step crosses the kink."""

from stepgrad import SGD, Value

w = Value(0.0, label="w")
optimizer = SGD([w], learning_rate=0.2)
for _ in range(40):
    loss = abs(w - 3.1)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
