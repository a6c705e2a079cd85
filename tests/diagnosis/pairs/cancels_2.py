"""Symptom: the parameter walks at random. Cause: a difference quotient with a tiny step."""

from stepgrad import SGD, Value

w = Value(0.7, label="w")
optimizer = SGD([w], learning_rate=1e-3)
for _ in range(4):
    near, far = (w * 1.0).sin(), (w * 1.0 + 1e-9).sin()
    slope = (far - near) / 1e-9
    slope.label = "slope"
    optimizer.zero_grad()
    slope.backward()
    optimizer.step()
