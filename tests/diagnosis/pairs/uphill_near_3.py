"""A log-likelihood is to grow: steps go up on purpose."""

from stepgrad import Value

z = Value(-1.0, label="z")
for _ in range(20):
    likelihood = (z.sigmoid().log() * 3 + (1 - z.sigmoid()).log()) * 0.25
    z.grad = 0.0
    likelihood.backward()
    z.data += 0.5 * z.grad
