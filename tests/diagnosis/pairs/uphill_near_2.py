"""A price for breaking a rule goes up while the weight goes down: a game, and in order."""

from stepgrad import Value

w, price = Value(0.0, label="w"), Value(1.0, label="price")
for _ in range(20):
    loss = (w - 3) ** 2 + price * (w - 1) ** 2
    w.grad = price.grad = 0.0
    loss.backward()
    w.data -= 0.02 * w.grad
    price.data += 2.0 * price.grad
