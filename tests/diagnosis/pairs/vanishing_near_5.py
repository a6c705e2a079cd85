"""A recurrent network over 30 steps, whose last inputs count as well: its weights learn there."""

from stepgrad import SGD, Value

u, w, v = Value(0.5, label="u"), Value(0.4, label="w"), Value(1.0, label="v")
optimizer = SGD([u, w, v], learning_rate=0.1)
for _ in range(5):
    loss = Value(0.0)
    for first in (1.0, -1.0):
        h = Value(0.0)
        for x in (first, *[0.0] * 27, 0.5, -0.5 * first):
            h = (w * h + u * x).tanh()
        loss = loss + (v * h - first) ** 2
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
