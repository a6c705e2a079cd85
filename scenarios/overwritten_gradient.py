"""A gradient overwritten: = where += belongs.

h goes into z1 and into z2, so its gradient is the sum of what comes back on each: 12 + 3 = 15. In
this backward pass by hand, the second line that writes `h.grad` overwrites the first, and 3 is
left; with the lines swapped, 12. Python has nothing against either. `stepgrad check` has: it holds
what is written by hand against the true gradients, and names the line. Then the same by
`backward()`, which adds.

Select h (`/h`, Enter) and press `a` three times: who writes its gradient? First `h.grad ← 12`, then
`h.grad ← 3`, which was 12 before: the header says SET and not BACKWARD, and the source panel (`3`)
stands on the assignment that did it. Then it is cleared. Once more `a`, and again: now it is
`backward()` that writes, `+=` adds 3 and 12, and it is 15. From there, `W` goes back: who wrote
here before?
"""

# lesson: {level: advanced, order: 525, after: [sum_over_paths], fails: true}

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
h.grad = 2 * z1.grad  # over z1: 12
h.grad = -1 * z2.grad  # over z2: 3, and the 12 is gone
print("by hand:", h.grad)

h.grad = 0.0
L.backward()
print("by backward():", h.grad)
