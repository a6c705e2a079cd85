"""Good gradients, and nothing learns.

Each backward pass brings a gradient of −8; the optimizer is called in every step; w stays 0.

Select w (`/w`, Enter) and press `a` twice: a pass contributes −8, and the next write clears it.
Keep pressing `f` until the header says `UPDATE`: it finds **0** there, and 0.1 · 0 moves nothing.

The three lines are all there, in the wrong order.

Clear, then `backward()`, then `step()`. Clearing after the step is as good, since then everything
has been used. `!` counts the gradients that were never used.
"""

# lesson: {level: debugging, order: 690, after: [forgotten_zero_grad], verdicts: [wiped]}

from stepgrad import SGD, Value

w = Value(0.0, label="w")
optimizer = SGD([w], learning_rate=0.1)
for _ in range(6):
    loss = (w - 4) ** 2
    loss.label = "loss"
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
print(f"w = {w.data:g}")
