"""A reward is to grow: steps go up on purpose."""

from stepgrad import Value

z = Value(-1.0, label="z")
for _ in range(20):
    reward = z.sigmoid() * 2.0
    reward.label = "reward"
    z.grad = 0.0
    reward.backward()
    z.data += 0.5 * z.grad
