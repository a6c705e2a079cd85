"""Parameters that stand still, because they receive exactly 0, pass after pass (`Unmoved`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stepgrad.diagnosis.data import data_of
from stepgrad.diagnosis.survey import Survey


@dataclass(frozen=True, slots=True)
class Unmoved:
    """A parameter that receives exactly 0 from `first` on, in all passes that reach it.

    Args:
        node: the parameter.
        passes: the numbers of those passes, in order.
        always: whether no pass before them reaches it, so that it never received anything.
    """

    node: int
    passes: Sequence[int]
    always: bool

    @property
    def first(self) -> int:
        """The number of the first pass from which on it receives exactly 0."""
        return self.passes[0]


def unmoved(survey: Survey) -> Sequence[Unmoved]:
    """Return the parameters that receive exactly 0 in all passes from one of them to the end."""
    waiting = dict.fromkeys(survey.parameters)
    since: dict[int, list[int]] = {node: [] for node in waiting}
    moved: set[int] = set()
    for which in reversed(survey.passes):
        for node in waiting.keys() & which.gradients.keys():
            if survey.received_nothing(which, node):
                since[node].append(which.number)
            else:
                moved.add(node)
                del waiting[node]
        if not waiting:
            break
    return [
        Unmoved(node, passes[::-1], node not in moved) for node, passes in since.items() if passes
    ]


def epoch(survey: Survey, passes: Sequence[int]) -> Sequence[int]:
    """Return the last of some passes that are over all rows of the data, if they are.

    Empty where no row has come twice, or one of an earlier pass has not come again: then there may
    be more rows than these.
    """
    rows = [data_of(survey, survey.passes[number]) for number in passes]
    all_rows = {*rows}
    if len(all_rows) == len(rows) or not all_rows.issuperset(
        data_of(survey, each) for each in survey.passes[: passes[0]]
    ):
        return ()
    seen: set[tuple[object, ...]] = set()
    for begin in range(len(passes) - 1, -1, -1):
        seen.add(rows[begin])
        if len(seen) == len(all_rows):
            break
    return passes[begin:]
