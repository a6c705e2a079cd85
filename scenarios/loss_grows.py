"""The loss grows, steadily, from the first step.

A learning rate that is too large makes a loss swing, or overshoot. This one grows smoothly, and
halving the rate only makes it grow more slowly.

Keep pressing `f` until the header says `UPDATE`, and read the chain line: b goes from 0 to −0.28,
and its gradient is −7, of the **same sign**.

A gradient points uphill; training goes the other way. Whatever the rate, each step makes the loss
larger.

Somewhere `+=` stands for `-=`. A loss that is to be maximised (a score, a reward, a likelihood) has
the same symptom when its sign is forgotten. `!` says how often the step went uphill, and the line.
"""

# lesson: {level: debugging, order: 680, after: [loss_stands], verdicts: [uphill]}

from stepgrad import Value

w, b = Value(0.5, label="w"), Value(0.0, label="b")
for _ in range(8):
    loss = (w * 2 + b - 3) ** 2 + (w * -1 + b - 1) ** 2
    loss.label = "loss"
    w.grad = b.grad = 0.0
    loss.backward()
    for parameter in (w, b):
        parameter.data += 0.04 * parameter.grad
    print(f"loss = {loss.data:.4g}")
