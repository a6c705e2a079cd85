"""A log-probability times a reward of either sign is to grow: its minus is right."""

from stepgrad import Value

w = Value(0.2, label="w")
for reward in (1.0, -0.5, 2.0, -1.0, 0.5, 1.0):
    loss = -((w * 1.5).sigmoid().log() * reward)
    loss.label = "loss"
    w.grad = 0.0
    loss.backward()
    w.data -= 0.1 * w.grad
