"""Adam by hand, and no gradient is cleared."""

from stepgrad import Value

parameters = [Value(0.5, label="w"), Value(0.0, label="b")]
w, b = parameters
means, squares = [0.0, 0.0], [0.0, 0.0]
for step in range(1, 11):
    loss = (w * 2.0 + b - 3) ** 2
    loss.label = "loss"
    loss.backward()
    for i, p in enumerate(parameters):
        means[i] = 0.9 * means[i] + 0.1 * p.grad
        squares[i] = 0.99 * squares[i] + 0.01 * p.grad**2
        root = (squares[i] / (1 - 0.99**step)) ** 0.5
        p.data -= 0.05 * means[i] / (1 - 0.9**step) / (root + 1e-8)
