"""Symptom: one operand of a tie receives everything. Cause: the tie is rounded."""

from stepgrad import Value

a, b = Value(0.1, label="a"), Value(0.7, label="b")
left, right = a * 3 + b, b + a + a + a
best = left.max(right)
best.label = "best"
loss = best * best
loss.label = "loss"
loss.backward()
