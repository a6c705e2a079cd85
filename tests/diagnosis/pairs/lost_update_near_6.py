"""Nearly: the share of each weight in some results; the loop variable holds it for a line."""

from stepgrad import Value

w, b = Value(0.3, label="w"), Value(0.1, label="b")
total = 0.0
for x in (1.0, 2.0, 3.0):
    y = (w * x + b).tanh()
    w.grad = b.grad = 0.0
    y.backward()
    for p in (w, b):
        p = abs(p.data * p.grad)  # noqa: PLW2901
        total += p
