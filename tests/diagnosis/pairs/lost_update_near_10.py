"""Nearly: nothing is updated, but each pass is over other data, to be looked at in a debugger."""

from stepgrad import Value

w, b = Value(0.3, label="w"), Value(0.1, label="b")
for x in (1.0, 2.0, 3.0, 4.0):
    loss = (w * x + b - 3) ** 2
    loss.label = "loss"
    w.grad = b.grad = 0.0
    loss.backward()
