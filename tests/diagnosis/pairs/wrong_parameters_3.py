"""Symptom: training stops after a step. Cause: parameters are made again, the optimizer is not."""

from stepgrad import SGD, Value

parameters = {"w": Value(0.1, label="w"), "b": Value(0.0, label="b")}
optimizer = SGD(parameters.values(), learning_rate=0.05)
for _ in range(8):
    w, b = parameters.values()
    loss = ((w * 1.0 + b - 2.0) ** 2 + (w * 2.0 + b - 4.0) ** 2) / 2
    loss.label = "loss"
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    parameters = {name: Value(each.data, label=name) for name, each in parameters.items()}
