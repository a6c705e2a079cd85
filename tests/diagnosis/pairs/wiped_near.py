"""A pass that is only looked at is cleared, then the one that counts comes."""

from stepgrad import SGD, Value

w = Value(0.5, label="w")
optimizer = SGD([w], learning_rate=0.05)
for _ in range(6):
    ((w * 5.0 - 1) ** 2).backward()
    print(w.grad)
    optimizer.zero_grad()
    ((w * 2.0 - 3) ** 2).backward()
    optimizer.step()
    optimizer.zero_grad()
