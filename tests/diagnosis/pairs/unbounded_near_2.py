# A loss may be far below 0 and fall faster at first: it is a parabola that lies deep.
from stepgrad import Value

w = Value(1.0, label="w")
for _ in range(60):
    loss = (w - 3000.0) ** 2 - 1e9 * 1.0
    w.grad = 0
    loss.backward()
    w.data -= 0.05 * w.grad
