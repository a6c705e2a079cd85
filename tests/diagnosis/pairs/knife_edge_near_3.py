"""A training that ends at the kink of |error|: it comes near it, and is learned."""

from stepgrad import SGD, Value

w = Value(0.0, label="w")
optimizer = SGD([w], learning_rate=0.1)
for _ in range(5):
    loss = (w - 0.3).abs()
    loss.label = "loss"
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
