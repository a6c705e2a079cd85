"""A gradient overwritten: = where += belongs.

h goes into z1 and into z2, so dL/dh is the sum of what comes back along both: 12 + 3 = 15.

In this backward pass by hand, the second line that writes h.grad overwrites the first, which leaves
3; with the lines swapped, it would be 12.

Python does not object to either. `stepgrad check` does: it compares what is written by hand with
the true gradients, and names the line. Then `backward()` does the same, and adds.

Select h (`/h`, Enter) and press `a` twice: what writes its gradient?

First `h.grad ← 12`, then `h.grad ← 3`, which was 12 before: the header says SET and not BACKWARD,
and the source panel (`3`) points at the assignment that did it.

Press `a` again: the gradient is cleared. Press `a` twice more: now `backward()` writes, `+=` adds 3
and 12, and the gradient is 15. From there, `W` goes back to the previous write.
"""

# lesson: {level: advanced, order: 525, after: [reused_value], fails: true, verdicts: [overwritten]}

from stepgrad import Value

h = Value(1.5, label="h")
z1 = 2 * h
z1.label = "z1"
z2 = -h
z2.label = "z2"
L = z1**2 + z2**2
L.label = "L"

L.grad = 1.0
z1.grad = 2 * z1.data * L.grad
z2.grad = 2 * z2.data * L.grad
h.grad = 2 * z1.grad  # through z1: 12
h.grad = -1 * z2.grad  # through z2: 3, and the 12 is gone
print("by hand:", h.grad)

h.grad = 0.0
L.backward()
print("by backward():", h.grad)
