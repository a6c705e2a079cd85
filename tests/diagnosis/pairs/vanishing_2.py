"""Symptom: the initial state of a recurrent network does not learn.

Cause: twenty steps, each with a factor of about a half.
"""

from stepgrad import Value

start, w, u = Value(0.5, label="start"), Value(0.5, label="w"), Value(0.3, label="u")
h = start
for x in [0.2, -0.4, 0.1, 0.5] * 5:
    h = (w * h + u * x).tanh()
loss = (h - 0.7) ** 2
loss.label = "loss"
loss.backward()
