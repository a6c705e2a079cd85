"""The loss is computed once, before the loop: later passes go by weights that are long gone."""

from stepgrad import SGD, Value

w, v = Value(0.5, label="w"), Value(0.8, label="v")
optimizer = SGD([w, v], learning_rate=0.02)
loss = (w * v * 2.0 - 3) ** 2
loss.label = "loss"
for _ in range(8):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
