# The likelihood of points that all agree grows without end, too, but no faster and faster.
from stepgrad import Value

mean, log_scale = Value(2.0, label="mean"), Value(0.0, label="log_scale")
for _ in range(300):
    loss = log_scale + ((2.0 - mean) * (-log_scale).exp()) ** 2 / 2
    mean.grad = log_scale.grad = 0
    loss.backward()
    for p in (mean, log_scale):
        p.data -= 0.05 * p.grad
