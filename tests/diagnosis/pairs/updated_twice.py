"""A tied weight moves twice as fast as the others: the optimizer has it in two layers."""

from stepgrad import SGD, Value

w, b = Value(0.2, label="w"), Value(0.1, label="b")
encoder, decoder = [w], [w, b]
optimizer = SGD(encoder + decoder, learning_rate=0.02)
for _ in range(8):
    loss = (w * (w * 2.0) + b - 3) ** 2
    loss.label = "loss"
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
