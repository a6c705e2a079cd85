"""Two models in turn, each with its optimizer; nothing updates a weight that both use."""

from stepgrad import SGD, Value

w, v, frozen = Value(0.3, label="w"), Value(0.4, label="v"), Value(0.7, label="frozen")
optimizers = [SGD([w], learning_rate=0.05), SGD([v], learning_rate=0.05)]
for step in range(8):
    loss = (frozen * (w, v)[step % 2] * 2 - 3) ** 2
    loss.label = "loss"
    optimizers[step % 2].zero_grad()
    loss.backward()
    optimizers[step % 2].step()
