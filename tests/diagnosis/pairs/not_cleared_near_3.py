"""A slow copy receives gradients that are never cleared; it moves, but does not use them."""

from stepgrad import SGD, Value

w, v = Value(0.5, label="w"), Value(0.1, label="v")
slow = [Value(0.2, label="slow1"), Value(-0.3, label="slow2")]
optimizer = SGD([w, v], learning_rate=0.05)
for _ in range(12):
    loss = (w * 2.0 - v - 3) ** 2 + 0.1 * (w - slow[0]) ** 2 + 0.1 * (v - slow[1]) ** 2
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    for copy, p in zip(slow, (w, v), strict=True):
        copy.data = 0.9 * copy.data + 0.1 * p.data
