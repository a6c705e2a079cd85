"""One weight moves, the other never does.

Two weights and an optimizer that holds both. w2 learns, and the loss falls; w1 is 0.4 at the start
and 0.4 at the end.

Press `G`, select w1 (`/w1`, Enter) and press `x`: there is no path to the loss. Yet h is made from
w1, and y from h. Really?

Select y (`/y`, Enter) and press `Enter` to go to where it was made: its operand is `h again`, a
leaf. A leaf has no operands: the graph ends there. `y` on w1's gradient says the same.

`Value(h.data)` copies the number and forgets where it came from. In PyTorch `detach()`, `.item()`,
`float(t)` and `torch.tensor(t)` do that.

It is right where a target must not learn, and a bug everywhere else. `!` names the copy, and the
line.
"""

# lesson: {level: debugging, order: 630, after: [disconnected_parameter], verdicts: [unreached]}

from stepgrad import SGD, Value

w1, w2 = Value(0.4, label="w1"), Value(0.7, label="w2")
optimizer = SGD([w1, w2], learning_rate=0.1)
for _ in range(12):
    h = (w1 * 2).tanh()
    h.label = "h"
    y = w2 * Value(h.data, label="h again")
    y.label = "y"
    loss = (y - 3) ** 2
    loss.label = "loss"
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(f"w1 = {w1.data:g}, w2 = {w2.data:g}, loss = {loss.data:.4g}")
