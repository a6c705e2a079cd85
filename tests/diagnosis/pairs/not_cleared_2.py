"""A loop by hand clears the gradient of the bias only: that of the weight piles up."""

from stepgrad import Value

w, b = Value(0.5, label="w"), Value(0.0, label="b")
for _ in range(8):
    loss = (w * 2.0 + b - 3) ** 2
    loss.label = "loss"
    loss.backward()
    w.data -= 0.02 * w.grad
    b.data -= 0.02 * b.grad
    b.grad = 0.0
