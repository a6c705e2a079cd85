"""An if and a loop: another graph in every run.

`grow` doubles a number until it is at least 10, and squares it if it is then above 14. The program
calls it with 3 and with 4: two runs of the same code.

Press `f` and read the tape. 3 is doubled twice, 3 → 6 → 12, and 12 is not above 14. Keep pressing
`n` until `three.grad` arrives: the slope is 2·2 = **4**.

Neither `while` nor `if` is in the graph. Python has decided them with numbers, and a tape records
what was computed, not what might have been.

Press `f` for the second run. 4 is doubled twice as well, 4 → 8 → 16, and 16 is above 14: this graph
has one node more, y = 16².

Keep pressing `n` until `four.grad` arrives: 2·16·2·2 = **128**. The same code, and another
derivative.

Each is right for its own branch, and knows nothing of the others. Start at *2.5*, and the answer is
*10*; start a little below, and it is almost *400*. No gradient says that there is a jump.

So a graph that is made by running the code is made again in every run. A compiler that keeps the
graph of the first run has to make sure that the next one takes the same branches.
"""

# lesson: {level: advanced, order: 350, after: [sum_over_paths, two_layer], verdicts: []}

from stepgrad import Value


def grow(x: Value) -> Value:
    """Double a number until it is at least 10; square what is above 14."""
    doubled = x
    while doubled.data < 10:
        doubled = 2 * doubled
    return doubled**2 if doubled.data > 14 else doubled


for start, name in (3.0, "three"), (4.0, "four"):
    x = Value(start, label=name)
    y = grow(x)
    y.backward()
    print(f"grow({x.data:g}) = {y.data:g}, slope {x.grad:g}")
