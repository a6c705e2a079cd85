"""Rows whose gradients are cleared are added up by the program, which updates by hand."""

from stepgrad import Value

w, b = Value(0.0, label="w"), Value(0.0, label="b")
for _ in range(10):
    total = [0.0, 0.0]
    for x in (1.0, 2.0, 3.0):
        w.grad = b.grad = 0.0
        ((w * x + b - 2 * x) ** 2).backward()
        total = [total[0] + w.grad, total[1] + b.grad]
    w.data -= 0.02 * total[0]
    b.data -= 0.02 * total[1]
