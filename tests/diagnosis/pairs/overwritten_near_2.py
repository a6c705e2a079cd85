"""Gradients by hand, each assigned once in a pass; then the same pass again, from the root."""

from stepgrad import Value

w = Value(2.0, label="w")
for _ in range(3):
    square = w * w
    loss = square * 3 - w
    for _ in range(2):  # the second time to look at it
        loss.grad = 1.0
        square.grad = 3 * loss.grad
        w.grad = 2 * w.data * square.grad - loss.grad
    w.data -= 0.01 * w.grad
