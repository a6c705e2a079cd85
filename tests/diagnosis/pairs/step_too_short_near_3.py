"""Training goes on where it has ended: at a loss of 1e-30, which no weight can lower."""

from stepgrad import SGD, Value

w = Value(3.000000000000001, label="w")
optimizer = SGD([w], learning_rate=0.1)
for _ in range(15):
    loss = (w - 3) ** 2
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
