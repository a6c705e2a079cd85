"""A tie of two equal computations: they are rounded alike, in any order and with any digits."""

from stepgrad import Value

a, b = Value(0.1, label="a"), Value(0.7, label="b")
left, right = a * 3 + b, b + 3 * a
best = left.max(right)
best.label = "best"
loss = best * best
loss.label = "loss"
loss.backward()
