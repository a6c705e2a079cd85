"""Nearly: a method is looked at, as in a notebook, and called as well."""

from stepgrad import SGD, Value

w, b = Value(0.3, label="w"), Value(0.1, label="b")
optimizer = SGD([w, b], 0.05)
optimizer.step  # noqa: B018 - it is looked at
for _ in range(5):
    loss = (w * 2 + b - 3) ** 2
    loss.label = "loss"
    optimizer.zero_grad()
    loss.backward  # noqa: B018 - it is looked at
    loss.backward()
    optimizer.step()
