"""Symptom: the loss swings. Cause: the units die one after the other, until only a bias is left."""

from stepgrad import MLP, SGD

weights = [[[0.9], [0.9], [-0.8], [-0.2]], [[0.5, -0.4, 0.3, 0.2]]]
model = MLP(weights, [[0.1, 0.0, 0.0, 0.0], [0.0]], ["relu", "linear"])
optimizer = SGD(model.parameters(), learning_rate=0.3, momentum=0.9)
for _ in range(30):
    loss = sum((model([x])[0] - 5 * x - 3) ** 2 for x in (0.5, 1.0, 1.5, 2.0)) / 4
    loss.label = "loss"
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
