"""Two optimizers take turns over the same weight, each after a pass of its own."""

from stepgrad import SGD, Value

w = Value(0.2, label="w")
first, second = SGD([w], learning_rate=0.02), SGD([w], learning_rate=0.02)
for _ in range(8):
    for optimizer, t in ((first, 3.0), (second, 2.0)):
        optimizer.zero_grad()
        ((w * 2.0 - t) ** 2).backward()
        optimizer.step()
