"""It learns, but always one step late.

The rate is small enough for this valley: 0.45 · 2 is below 2. And still w runs past 3, turns, and
runs past it again.

Keep pressing `t`, and compare in each step what the update uses with what the next pass brings.

The first update finds nothing at all. The second uses the gradient of the first pass, at a place
that w has left by then.

`step()` comes **before** `backward()`, so every step uses an old slope. A delay of one step is
enough to make a stable loop swing, as it is with a shower tap.

`!` says how many updates came between a forward pass and its backward pass.
"""

# lesson: {level: debugging, order: 700, after: [nothing_learns], verdicts: [stale]}

from stepgrad import SGD, Value

w = Value(0.0, label="w")
optimizer = SGD([w], learning_rate=0.45)
for _ in range(12):
    loss = (w - 3) ** 2
    loss.label = "loss"
    optimizer.step()
    optimizer.zero_grad()
    loss.backward()
    print(f"w = {w.data:.4g}, loss = {loss.data:.4g}")
