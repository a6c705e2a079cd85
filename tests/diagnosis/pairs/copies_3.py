"""Symptom: XOR is not learned. Cause: equal initial weights; one row a pass, and one row is 0."""

from stepgrad import MLP, Adam

model = MLP([[[0.3, 0.3]] * 3, [[0.2] * 3]], [[0.1] * 3, [0.0]], ["tanh", "linear"])
optimizer = Adam(model.parameters(), learning_rate=0.01)
for _ in range(6):
    for row, target in (((0, 0), 0), ((0, 1), 1), ((1, 0), 1), ((1, 1), 0)):
        optimizer.zero_grad()
        ((model([*row])[0] - target) ** 2).backward()
        optimizer.step()
