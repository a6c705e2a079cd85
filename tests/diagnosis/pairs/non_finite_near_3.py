"""A mask of −inf, of which exp makes 0, and a maximum that begins with −inf."""

from stepgrad import SGD, Value

scores = [Value(score, label=f"s{k}") for k, score in enumerate((0.5, -1.0, 2.0))]
mask = [Value(0.0, label="m0"), Value(0.0, label="m1"), Value(float("-inf"), label="m2")]
sgd = SGD(scores, learning_rate=0.1)
for _ in range(5):
    masked = [score + m for score, m in zip(scores, mask, strict=True)]
    largest = Value(float("-inf"), label="largest")
    for each in masked[:2]:
        largest = largest.max(each)
    shares = [(each - largest).exp() for each in masked]
    loss = -(shares[0] / sum(shares)).log()
    loss.label = "loss"
    sgd.zero_grad()
    loss.backward()
    sgd.step()
