"""Momentum by hand, and no gradient is cleared."""

from stepgrad import Value

parameters = [Value(0.5, label="w"), Value(0.0, label="b")]
w, b = parameters
velocities = [0.0, 0.0]
for _ in range(10):
    loss = (w * 2.0 + b - 3) ** 2
    loss.label = "loss"
    loss.backward()
    for i, p in enumerate(parameters):
        velocities[i] = 0.5 * velocities[i] + p.grad
        p.data -= 0.01 * velocities[i]
