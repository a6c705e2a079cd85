"""The same scores, shifted by the largest one."""

from stepgrad import SGD, Value

w = Value(90.0, label="w")
sgd = SGD([w], learning_rate=0.01)
for _ in range(3):
    scores = [w * 8, w * 2]
    largest = scores[0].max(scores[1])
    first, second = ((score - largest).exp() for score in scores)
    loss = largest + (first + second).log() - scores[1]
    loss.label = "loss"
    sgd.zero_grad()
    loss.backward()
    sgd.step()
