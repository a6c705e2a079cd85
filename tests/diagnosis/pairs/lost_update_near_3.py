"""Nearly: a value that is a multiple of its gradient, as the loss is a parabola around 0."""

from stepgrad import Value

w = Value(0.3, label="w")
for _ in range(5):
    loss = w * w
    loss.label = "loss"
    w.grad = 0.0
    loss.backward()
    old = w.data
    w.data = old - 0.05 * w.grad
