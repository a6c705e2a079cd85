"""A weight that is used twice, and moves twice.

An encoder and a decoder share one weight, which saves parameters and is perfectly good practice.
Trained alone at this rate, it would converge. Here it overshoots.

Keep pressing `f` until the header says `UPDATE`, and then press `S` for the event before: w is
written, and written again, with the same gradient, in one step of the optimizer.

Its parameters are `encoder + decoder`, and w is in both lists. That the *gradient* adds up over
both uses is right, and happened before. The *update* must come once.

So every step is twice as long as the rate says. `!` says which node, and how often. Deduplicate by
identity before you make the optimizer; PyTorch's `parameters()` does it for you, two lists that you
join do not.
"""

# lesson: {level: debugging, order: 720, after: [loss_stands], verdicts: [updated_twice]}

from stepgrad import SGD, Value

w = Value(0.5, label="w")
encoder, decoder = [w], [w]
optimizer = SGD(encoder + decoder, learning_rate=0.04)
for _ in range(8):
    loss = (w * (w * 1.5) - 3) ** 2
    loss.label = "loss"
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"w = {w.data:.4g}, loss = {loss.data:.4g}")
