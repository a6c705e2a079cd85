"""Adam hardly moves: its learning rate is 1e-7, which is about the length of each step."""

from stepgrad import Adam, Value

w, b = Value(0.5, label="w"), Value(0.0, label="b")
optimizer = Adam([w, b], learning_rate=1e-7)
for _ in range(15):
    loss = (w * 2.0 + b - 3) ** 2
    loss.label = "loss"
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
