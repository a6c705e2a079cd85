"""It converged with 4 rows; with 48 it explodes.

A line through points, learning rate 0.1: with four rows it converges. Somebody adds data, changes
nothing else, and in five steps the loss goes from 212 to *441 billion*.

Keep pressing `t` and look at the gradient of w: it changes its sign in every step, and grows.

Each is a step across the valley to a higher place on the other side. But no row's valley has become
steeper: there are forty-eight of them, and the loss is their **sum**.

So its gradient and its curvature grow with the number of rows, and the step with them.

With a mean, the learning rate means the same for any number of rows. `!` says which rate would have
been small enough, and what a mean would change.
"""

# lesson: {level: debugging, order: 670, after: [loss_stands], verdicts: [step_too_long]}

from stepgrad import SGD, Value

rows = [(k / 24 - 1, 3 - k / 24) for k in range(48)]
w, b = Value(0.0, label="w"), Value(0.0, label="b")
optimizer = SGD([w, b], learning_rate=0.1)
for _ in range(6):
    loss = sum((w * x + b - y) ** 2 for x, y in rows)
    loss.label = "loss"
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"loss = {loss.data:.4g}")
