"""A loss that falls without end, because it has no lowest value: `unbounded`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise, takewhile

from stepgrad.diagnosis import bookkeeping
from stepgrad.diagnosis.reasons import Number, chain
from stepgrad.diagnosis.steps.downhill import downhill
from stepgrad.diagnosis.survey import Survey
from stepgrad.diagnosis.verdict import Verdict
from stepgrad.numbers import number
from stepgrad.printable import counted

_RUNNING = 5  # steps, the last ones
_DEEP = 1e6  # times the first loss
_GROWN = 1e3  # times the size of the parameters


def unbounded(survey: Survey) -> Iterator[Verdict]:
    """The loss falls far below 0, by more in each step, and the parameters run away with it."""
    steps = downhill(survey)
    if not steps:
        return
    losses = [each.loss for each in steps]
    first, last, faster = steps[0], steps[-1], _faster(losses)
    if faster < _RUNNING or last.loss > -_DEEP * max(1.0, abs(first.loss)):
        return
    if last.size < _GROWN * first.size:
        return
    root = last.passes[-1]
    reason = next(chain(survey.recording, Number("value", root.root, root.seed)))
    yield Verdict(
        "unbounded",
        f"the loss falls without end: from {number(first.loss)} to {number(last.loss)} in "
        f"{counted(len(steps) - 1, 'step')}, by more in each of the last {faster}, while the size "
        f"of the parameters grows to {number(last.size)}; {reason.text} (event "
        f"{reason.position:,})",
        "Give the loss a lowest value: look for the term that falls, and check its sign.",
        [reason.position, last.step.position, first.step.position],
        [root.root, *last.nodes],
        unless=(*bookkeeping.NAMES, "uphill"),
    )


def _faster(losses: Sequence[float]) -> int:
    """Return how many steps, up to the end, have lowered the loss by more each time."""
    falls = [before - after for before, after in pairwise(losses)][::-1]
    return sum(1 for _ in takewhile(lambda two: two[0] > two[1] > 0, pairwise(falls)))
