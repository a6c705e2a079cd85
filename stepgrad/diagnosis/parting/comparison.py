"""Two recordings side by side: what is furthest apart, by name (`side_by_side`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isnan

from stepgrad.recording.recording import Recording
from stepgrad.replay.difference import Change, Difference, differences
from stepgrad.replay.state import State


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two recordings at a position in each.

    Args:
        positions: their ends; where one has fewer training steps, the end of its last in both.
        step: the number of that step, if there are steps.
        rows: the names whose numbers differ, the furthest apart first; `differing` counts them.
        only: the names that only the first has, and those that only the second has.
    """

    positions: tuple[int, int]
    step: int | None
    rows: Sequence[Difference]
    only: tuple[Sequence[str], Sequence[str]]


def side_by_side(first: Recording, second: Recording) -> Comparison:
    """Compare the named values and gradients of two recordings at their ends, or the same step."""
    count = min(len(first.steps), len(second.steps))
    a, b = (_end_of_step(each, count) for each in (first, second))
    states = State(first, a), State(second, b)
    rows, only = [], ([], [])  # type: tuple[list[Difference], tuple[list[str], list[str]]]
    for row in differences(*states):
        if None in row.value:
            only[row.value[0] is None].append(row.name)
        else:
            rows.append(row)
    rows.sort(key=_size, reverse=True)
    return Comparison((a, b), states[0].step, rows, only)


def _end_of_step(recording: Recording, count: int) -> int:
    """Return the end of the first training steps; of all of them, the end of the recording."""
    steps = recording.steps
    return steps[count] if 0 < count < len(steps) else recording.length


def _size(row: Difference) -> float:
    return max(map(_apart, (row.value, row.grad, row.tangent)))


def _apart(change: Change) -> float:
    before, after = (0.0 if x is None else x for x in change)
    if before == after or (isnan(before) and isnan(after)):
        return 0.0
    apart = abs(before - after)
    return inf if isnan(apart) else apart
