"""Classes that never occur have the same weights, as they have the same rows: none."""

from stepgrad import SGD, Value, softmax_cross_entropy

weights = [Value(0.0, label=f"w{k}") for k in range(4)]
biases = [Value(0.0, label=f"b{k}") for k in range(4)]
optimizer = SGD([*weights, *biases], learning_rate=0.2)
for _ in range(10):
    optimizer.zero_grad()
    for x in (0.5, 1.5):
        logits = [w * x + b for w, b in zip(weights, biases, strict=True)]
        softmax_cross_entropy(logits, [1.0, 0.0, 0.0, 0.0]).backward()
    optimizer.step()
