"""Momentum carries the weight past the minimum and uphill for a while, then back."""

from stepgrad import SGD, Value

w = Value(0.0, label="w")
optimizer = SGD([w], learning_rate=0.05, momentum=0.95)
for _ in range(40):
    loss = (w - 3) ** 2
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
