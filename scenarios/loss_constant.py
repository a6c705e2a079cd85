"""The loss never changes, though everything is called.

Gradients arrive, `step()` is called, parameters are updated. The loss is the same in every step, to
the last digit.

Go to the end (`G`), which is an update, and look at which node it writes. Then look at the graph of
the loss: that node is not in it. There are two models.

The optimizer was made with the parameters of the first one; the second one, made later from a
checkpoint, is trained.

Select a weight: `/w`. Press `x`: it has paths and no updates. Then press `.` for the other weight,
and `x` again: it has updates and no paths.

An optimizer holds the parameters that it was given, not a name. It has to be made after the model
is final: after loading, after moving it, after replacing a layer. `!` tells the two apart.
"""

# lesson: {level: debugging, order: 710, after: [nothing_learns], verdicts: [wrong_parameters]}

from stepgrad import SGD, Value


def model(start: float) -> list[Value]:
    """Return a weight and a bias."""
    return [Value(start, label="w"), Value(0.0, label="b")]


w, b = model(0.1)
optimizer = SGD([w, b], learning_rate=0.05)
w, b = model(0.6)  # as saved last time
for _ in range(8):
    loss = (w * 1.5 + b - 2) ** 2 + (w * -0.5 + b - 1) ** 2
    loss.label = "loss"
    w.grad = b.grad = 0.0
    loss.backward()
    optimizer.step()
    print(f"loss = {loss.data:.4g}")
