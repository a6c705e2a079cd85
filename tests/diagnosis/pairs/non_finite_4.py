"""Symptom: inf in the first pass. Cause: exp of a score that is not shifted by the largest one."""

from stepgrad import SGD, Value

w = Value(90.0, label="w")
sgd = SGD([w], learning_rate=0.01)
for _ in range(3):
    scores = [w * 8, w * 2]
    first, second = (score.exp() for score in scores)
    loss = -(second / (first + second)).log()
    loss.label = "loss"
    sgd.zero_grad()
    loss.backward()
    sgd.step()
