"""The log of a probability is minimised, as the minus sign before it is forgotten."""

from stepgrad import Value
from stepgrad.engine.losses import softmax

w = [Value(0.1 * k, label=f"w{k}") for k in range(3)]
for step in range(6):
    target = step % 3
    loss = softmax([each * 2.0 for each in w])[target].log()
    loss.label = "loss"
    for p in w:
        p.grad = 0.0
    loss.backward()
    for p in w:
        p.data -= 0.1 * p.grad
