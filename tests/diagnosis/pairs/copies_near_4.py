"""Weights of inputs that are always 0 start equal and stay so; they never learn."""

from stepgrad import MLP, SGD

weights = [[[0.3, 0.3, 0.3, 0.4], [0.3, 0.3, 0.3, -0.5]], [[0.2, 0.6]]]
model = MLP(weights, [[0.1, 0.0], [0.0]], ["tanh", "linear"])
optimizer = SGD(model.parameters(), learning_rate=0.1)
for _ in range(6):
    for x, target in ((1.0, 0.5), (-1.0, 0.2), (0.5, 0.4)):
        optimizer.zero_grad()
        ((model([0.0, 0.0, 0.0, x])[0] - target) ** 2).backward()
        optimizer.step()
