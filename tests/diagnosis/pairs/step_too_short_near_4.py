"""A rate decays fast as well, but late: more than half of the steps have moved the parameters."""

from stepgrad import SGD, Value

w, b = Value(0.0, label="w"), Value(0.0, label="b")
optimizer = SGD([w, b], learning_rate=0.1)
for step in range(40):
    loss = sum((w * x + b - 2 * x - 1) ** 2 for x in (1.0, 2.0, 3.0)) / 3
    optimizer.learning_rate = 0.1 * 0.01 ** max(step - 25, 0)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
