# A loss with a minus where a plus was meant has no lowest value.
from stepgrad import Value

w = Value(0.5, label="w")
for _ in range(10):
    loss = abs(w * 2 - 3) - (w * 2 - 3) ** 2
    w.grad = 0
    loss.backward()
    w.data -= 0.5 * w.grad
