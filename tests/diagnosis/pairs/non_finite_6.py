"""Symptom: nan, though the loss is cut off. Cause: its 0 meets the slope of log at 0: 0·∞."""

from stepgrad import Value

w, x = Value(8.0, label="w"), Value(5.0, label="x")
p = (w * x).sigmoid()
p.label = "p"
loss = -(1 - p).log().max(-100.0)
loss.label = "loss"
loss.backward()
w.data -= 0.1 * w.grad
