"""Steps that go too far down the loss, or get nowhere: `step_too_long`, `step_too_short`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, takewhile
from math import hypot
from statistics import median

from stepgrad.diagnosis import bookkeeping
from stepgrad.diagnosis.steps.downhill import Downhill, downhill, rate_of, reached, rows, same_data
from stepgrad.diagnosis.survey import Survey
from stepgrad.diagnosis.verdict import Verdict
from stepgrad.engine.ops import ADD, CONSTANT
from stepgrad.numbers import number
from stepgrad.printable import counted
from stepgrad.recording.recording import Recording

_RUNNING = 3  # steps, one after the other
_TOO_LONG = 1.9  # about 2
_WORTH = 0.1  # of the first loss: what a verdict has to be about

_SAME = 1e-6
_ROWS = 4  # terms of a sum, from which on it is one over rows

_SHORT = 1e-5  # of the size of the parameters
_STANDS = 1e-3  # of the loss
_FLOOR = 1e-9  # of the size of the parameters
_SEVERAL = 10  # steps

CAUSES = (*bookkeeping.NAMES, "clipped")
"""Where gradients are not what they should be, a step says nothing about the learning rate."""


@dataclass(frozen=True, slots=True)
class _Overshot:
    """Steps in a row that go too far.

    Args:
        steps: those steps, and the one after them.
        reach: the median of learning rate · curvature.
    """

    steps: Sequence[Downhill]
    reach: float


def step_too_long(survey: Survey) -> Iterator[Verdict]:
    """Each of several steps ends beyond the lowest point, no lower than it began."""
    run = _overshot(survey)
    if run is None:
        return
    recording = survey.recording
    first, last = run.steps[0], run.steps[-1]
    rate = rate_of(recording, first)
    terms = _terms_of(survey, first)
    mean = (
        f", and would be {number(run.reach / terms, 3)} for the mean of the {terms} terms that the "
        "loss adds up"
        if terms >= _ROWS and run.reach / terms < 2
        else ""
    )
    yield Verdict(
        "step_too_long",
        f"steps overshoot: {len(run.steps) - 1} in a row (from event {first.step.position:,} on) "
        f"land beyond the lowest point, and the loss goes from {number(first.loss)} to "
        f"{number(last.loss)}; learning rate · curvature is {number(run.reach, 3)} (stable "
        f"below 2){mean}",
        f"Lower the learning rate from {number(rate, 3)} to below "
        f"{number(rate * 2 / max(2.0, run.reach), 3)}"
        + (", or divide the loss by the number of its terms." if mean else "."),
        [each.step.position for each in run.steps[:_RUNNING]],
        first.nodes,
        unless=CAUSES,
    )


def _overshot(survey: Survey) -> _Overshot | None:
    """Return the first run of steps that go too far, from which the loss never recovers."""
    steps = downhill(survey)
    losses = [each.loss for each in steps]
    latest = [*accumulate(reversed(losses), min)][::-1]  # the lowest from here on
    for start in range(len(steps) - _RUNNING):
        worth = _WORTH * abs(losses[0])
        began, later = min(losses[start : start + 2]), latest[start + 2]
        if later < began - _SAME * abs(began) or abs(began) < worth:
            continue  # as is usual
        first = steps[start : start + _RUNNING]
        if max(-this.slope / 2 / _TOO_LONG for this in first) < worth:
            continue  # there is no more to gain, however far they go
        reaches = [*takewhile(_TOO_LONG.__le__, _reaches(survey, steps, start))]
        gains = (-this.slope / 2 / reach for this, reach in zip(first, reaches, strict=False))
        if len(reaches) >= _RUNNING and max(gains) >= worth:
            return _Overshot(steps[start : start + len(reaches) + 1], median(reaches))
    return None


def _reaches(survey: Survey, steps: Sequence[Downhill], start: int) -> Iterator[float]:
    """Yield how far each step goes, from some number on."""
    for which in range(start, len(steps) - 1):
        yield reached(survey, steps[which], steps[which + 1])


def _terms_of(survey: Survey, each: Downhill) -> int:
    """The number of terms of the sums that a step descends."""
    return sum(_terms(survey.recording, which.root) for which in each.passes)


def _terms(recording: Recording, root: int) -> int:
    """The number of terms of a sum, without those that are plain numbers."""
    forward = recording.history.forward_of(root)
    structure, todo, found = forward.structure, [root - forward.base], 0
    while todo:
        ref = todo.pop()
        if ref < 0:
            found += 1
        elif structure.op(ref) is ADD:
            todo += structure.operands(ref)
        else:
            found += structure.op(ref) is not CONSTANT
    return found


def step_too_short(survey: Survey) -> Iterator[Verdict]:
    """Parameters hardly move, though there is a slope."""
    every = downhill(survey)
    if not every or not _matters(every[-1]):  # asked first: nearly all that creep are at a minimum
        return
    steps = _creeping(every)
    if len(steps) < _SEVERAL:
        return
    first, last = steps[0], steps[-1]
    if not (_matters(first) and _stands(survey, steps)):
        return
    rate, reach = rate_of(survey.recording, first), 0.0
    if same_data(survey, first, last):
        reach = first.reach(last) / (len(steps) - 1)
    far = f"{float(f'{1 / reach:.1g}'):,.0f}" if reach > 0 else ""
    near = f"; the minimum is about {far} such steps away" if far else ""
    better = f"; the curvature allows about {number(rate / reach, 1)}" if far else ""
    most = max(hypot(*each.moved) / each.size for each in steps)
    by = f"by more than {number(most, 2)} of their size" if most else "at all"
    again = next(each for each in reversed(steps) if same_data(survey, first, each))
    on_the_same = "" if again is last else " on the same data"
    always = first.step is survey.steps[0]
    since, there = ("", "") if always else (f" from event {first.step.position:,} on", " there")
    yield Verdict(
        "step_too_short",
        f"steps are too short{since}: none moves the parameters {by}, and in "
        f"{counted(len(steps), 'step')} the loss only goes from {number(first.loss, 9)} to "
        f"{number(again.loss, 9)}{on_the_same}, although the norm of the gradient is "
        f"{number(hypot(*first.gradients), 3)} (event {first.step.position:,}){near}",
        f"Raise the learning rate, {number(rate, 3)}{there}, by powers of 10 until the loss falls"
        f"{better}.",
        [first.step.position, last.step.position],
        first.nodes,
        unless=CAUSES,
    )


def _creeping(steps: Sequence[Downhill]) -> Sequence[Downhill]:
    """Return the steps from which on all creep, if they are at least half: a rate may decay."""
    walked = next((n for n in range(len(steps), 0, -1) if not _creeps(steps[n - 1])), 0)
    return steps[walked:] if 2 * walked <= len(steps) else ()


def _stands(survey: Survey, steps: Sequence[Downhill]) -> bool:
    """Whether the loss hardly changes where the data are the same, and that is often enough."""
    losses = defaultdict[object, list[float]](list)
    for each in steps:
        losses[tuple(rows(survey, each))].append(each.loss)
    again = [each for each in losses.values() if len(each) > 1]
    return sum(map(len, again)) >= _SEVERAL and all(
        max(each) - min(each) <= _STANDS * abs(each[0]) for each in again
    )


def _creeps(each: Downhill) -> bool:
    """Whether a step goes downhill by a tiny part of the size of its parameters, or by nothing."""
    moved = hypot(*each.moved)
    return not moved or (each.slope < 0 and moved <= _SHORT * each.size)


def _matters(each: Downhill) -> bool:
    """Whether there is a slope, and a way to go.

    Going down the slope by the size of the parameters would change the loss by a part that counts;
    and the loss is not so low that numbers of that size can hardly come closer to the minimum.
    """
    gradient = hypot(*each.gradients)
    return 0 < _FLOOR * gradient <= abs(each.loss) / each.size <= gradient / _WORTH
