"""Symptom: huge gradients. Cause: a recurrent weight of 1.5, thirty times."""

from stepgrad import Value

w, u = Value(1.5, label="w"), Value(0.5, label="u")
h = Value(0.1, label="start")
for x in [0.2, -0.4, 0.3] * 10:
    h = w * h + u * x
loss = (h - 1) ** 2
loss.label = "loss"
loss.backward()
