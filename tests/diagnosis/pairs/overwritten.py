"""The gradient of a shared value is too small: the second path replaces the first."""

from stepgrad import Value

w = Value(2.0, label="w")
for _ in range(3):
    square = w * w
    square.label = "square"
    loss = square * 3 - w
    loss.label = "loss"
    square.grad = 3.0
    w.grad = -1.0
    w.grad = square.grad * 2 * w.data
    w.data -= 0.01 * w.grad
