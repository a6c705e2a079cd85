# The same with a factor that no word explains: it is that of all parameters.
from stepgrad import Value

w, b = Value(0.5, label="w"), Value(0.1, label="b")
for _ in range(10):
    w.grad = b.grad = 0.0
    for x, y in [(1.0, 2.0), (2.0, 3.9), (3.0, 6.1)]:
        e = w * x + b - y
        L = e * e
        L.grad = 1.0
        e.grad = 2 * e.data
        w.grad += 0.3 * x * e.grad
        b.grad += 0.3 * e.grad
    for p in (w, b):
        p.data -= 0.05 * p.grad
