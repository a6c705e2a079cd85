# A product of two parameters is a saddle: they run away from it, up to an overflow.
from stepgrad import Value

a, b = Value(1.0, label="a"), Value(-0.5, label="b")
for _ in range(2000):
    loss = a * b + 0.1 * (a + b)
    a.grad = b.grad = 0
    loss.backward()
    for p in (a, b):
        p.data -= 0.3 * p.grad
