"""Symptom: only the last batch, a smaller one, counts. Cause: zero_grad() in the inner loop."""

from random import Random

from stepgrad import MLP, Adam

model = MLP.drawn([1, 3, 1], ["tanh", "linear"], Random(0))
optimizer = Adam(model.parameters(), learning_rate=0.01)
data = [(x / 7, x / 3) for x in range(7)]
for _ in range(8):
    for first in range(0, 7, 3):
        optimizer.zero_grad()
        loss = sum((model([x])[0] - t) ** 2 for x, t in data[first : first + 3])
        loss.backward()
    optimizer.step()
