"""Nearly: only the gradient of one network is turned round, as it has to fool the other one."""

from stepgrad import SGD, Value

w, v = Value(0.3, label="w"), Value(0.8, label="v")
optimizer = SGD([w, v], 0.05)
for _ in range(5):
    loss = (v * (w * 0.7).tanh() - 1) ** 2
    loss.label = "loss"
    optimizer.zero_grad()
    loss.backward()
    w.grad = -w.grad
    optimizer.step()
