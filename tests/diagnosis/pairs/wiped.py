"""The loss stays where it is: the gradients are cleared between backward() and step()."""

from stepgrad import SGD, Value

w, b = Value(0.5, label="w"), Value(0.0, label="b")
optimizer = SGD([w, b], learning_rate=0.1, momentum=0.5)
for _ in range(6):
    loss = (w * 2.0 + b - 3) ** 2
    loss.label = "loss"
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
