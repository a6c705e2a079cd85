"""An input is written in place for the next row before the pass over both rows has run."""

from stepgrad import Value

w, x = Value(0.5, label="w"), Value(1.0, label="x")
first = (w * x - 1) ** 2
x.data = 2.0
second = (w * x - 3) ** 2
loss = first + second
loss.label = "loss"
loss.backward()
