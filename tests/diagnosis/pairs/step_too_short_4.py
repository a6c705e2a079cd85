"""Row by row, with a learning rate that is far too low: the loss of each row stays what it is."""

from stepgrad import Value

w = Value(0.0, label="w")
for _ in range(6):
    for x, t in [(1.0, 2.0), (2.0, 4.0), (3.0, 6.0)]:
        loss = (w * x - t) ** 2
        loss.label = "loss"
        w.grad = 0.0
        loss.backward()
        w.data -= 1e-8 * w.grad
