"""Each row's gradient is cleared, but the program has kept it: it clips each, then adds them up."""

from stepgrad import SGD, Value

w, b = Value(0.0, label="w"), Value(0.0, label="b")
optimizer = SGD([w, b], learning_rate=0.05)
for _ in range(10):
    total = [0.0, 0.0]
    for x in (1.0, 2.0, 3.0):
        optimizer.zero_grad()
        ((w * x + b - 2 * x) ** 2).backward()
        total = [kept + max(-1.0, min(1.0, p.grad)) for kept, p in zip(total, (w, b), strict=True)]
    w.grad, b.grad = total
    optimizer.step()
