"""The same network with a fixed initial state: what is learned is used at the end, too."""

from stepgrad import SGD, Value

w, u = Value(0.5, label="w"), Value(0.3, label="u")
optimizer = SGD([w, u], learning_rate=0.05)
for _ in range(4):
    h = Value(0.5, label="start")
    for x in [0.2, -0.4, 0.1, 0.5] * 5:
        h = (w * h + u * x).tanh()
    loss = (h - 0.7) ** 2
    loss.label = "loss"
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
