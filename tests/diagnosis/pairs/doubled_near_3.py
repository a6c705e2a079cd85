"""Each row has a pass of its own; the pass from their sum, to compare, starts from 0."""

from stepgrad import SGD, Value

w, b = Value(0.1, label="w"), Value(0.0, label="b")
optimizer = SGD([w, b], learning_rate=0.02)
for _ in range(8):
    optimizer.zero_grad()
    total = Value(0.0, label="total")
    for x in (1.0, 2.0, 3.0):
        loss = (w * x + b - 2 * x) ** 2
        loss.backward()
        total = total + loss
    print(w.grad, b.grad)
    optimizer.zero_grad()
    total.backward()
    print(w.grad, b.grad)
    optimizer.step()
