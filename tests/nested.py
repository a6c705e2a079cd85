"""Random graphs of nodes in scopes that are entered, left and entered again."""

from __future__ import annotations

from hypothesis import strategies as st

from stepgrad import Recording, Value, record, scope

SCOPES = ("", "a", "a/b", "c", "c/d")

Row = tuple[int, int, int, bool]
"""A node: the scope it is made in, its two operands, and whether a backward pass starts from it."""

rows = st.lists(
    st.tuples(st.integers(0, len(SCOPES) - 1), *[st.integers(0, 99)] * 2, st.booleans()),
    max_size=16,
)
folds = st.frozensets(st.sampled_from(SCOPES[1:]))


def recorded(rows: list[Row]) -> Recording:
    """Products of what there is by then, and a constant; passes in between part it in blocks."""
    with record() as recording:
        made = [Value(1.5, label="x")]
        for visit, left, right, passes in rows:
            with scope(SCOPES[visit]):
                made.append(made[left % len(made)] * made[right % len(made)] + 1.0)
            if passes:
                made[-1].backward()
    return recording
