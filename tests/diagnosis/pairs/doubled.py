"""Steps are twice as long as the learning rate says: backward() runs twice from each loss."""

from stepgrad import SGD, Value

w = Value(0.5, label="w")
optimizer = SGD([w], learning_rate=0.02)
for _ in range(8):
    loss = (w * 2.0 - 3) ** 2
    loss.label = "loss"
    optimizer.zero_grad()
    loss.backward()
    loss.backward()
    optimizer.step()
