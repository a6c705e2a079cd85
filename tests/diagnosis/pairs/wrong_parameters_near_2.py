"""Parameters are made again for each step, and so is the optimizer."""

from stepgrad import SGD, Value

parameters = {"w": Value(0.1, label="w"), "b": Value(0.0, label="b")}
for _ in range(8):
    w, b = parameters.values()
    loss = ((w * 1.0 + b - 2.0) ** 2 + (w * 2.0 + b - 4.0) ** 2) / 2
    loss.label = "loss"
    loss.backward()
    SGD(parameters.values(), learning_rate=0.05).step()
    parameters = {name: Value(each.data, label=name) for name, each in parameters.items()}
