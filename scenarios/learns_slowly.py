"""It learns, a thousand times too slowly.

Two parameters, and gradients clipped to norm 1, as many recipes have it. b should become 2. After
twelve steps it is 0.0002.

Keep pressing `f` until the header says `SET`: there the clipping happens. b's gradient was −4 and
is −0.0013 after it.

Clipping scales **all** gradients by the same factor until their norm is 1, and one other gradient
owns the norm: that of a, whose input is 500 times larger.

What protects from one exploding parameter slows down all the others.

Clipping is for rare accidents. When most steps are clipped, and by a large factor, it has become
the learning rate. `!` says how often, by how much, and who owns the norm; then scale that input, or
clip by group.
"""

# lesson: {level: debugging, order: 730, after: [exploding_gradient], verdicts: [clipped]}

from stepgrad import SGD, Value, clip_norm

a, b = Value(1.0, label="a"), Value(0.0, label="b")
optimizer = SGD([a, b], learning_rate=0.02)
for _ in range(12):
    loss = (a * 500.0 - 497) ** 2 + (b - 2) ** 2
    loss.label = "loss"
    optimizer.zero_grad()
    loss.backward()
    clip_norm([a, b], 1.0)
    optimizer.step()
print(f"a = {a.data:.4g}, b = {b.data:.4g}")
