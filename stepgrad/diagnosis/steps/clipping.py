"""Gradients that are scaled down in most steps, and by much: `clipped`."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import hypot, isclose
from statistics import median

from stepgrad.diagnosis import bookkeeping
from stepgrad.diagnosis.survey import Survey
from stepgrad.diagnosis.verdict import Verdict
from stepgrad.numbers import number
from stepgrad.printable import counted
from stepgrad.recording.blocks import Write
from stepgrad.recording.kept import kept
from stepgrad.replay.telling.titles import gradient_title

_MUCH = 0.1
_SAME = 1e-6


@dataclass(frozen=True, slots=True)
class Clip:
    """Gradients are scaled down to a norm.

    Args:
        block: the writes.
        norm: the norm before.
        factor: by what it is scaled.
    """

    block: Write
    norm: float
    factor: float

    @property
    def position(self) -> int:
        """The position just after the first write."""
        return self.block.start + 1


def clipped(survey: Survey) -> Iterator[Verdict]:
    """Most steps are clipped, and at least half of those to less than a tenth."""
    clips = _clips(survey)
    positions = [step.position for step in survey.steps]
    steps = len({bisect_left(positions, clip.position) for clip in clips} - {len(positions)})
    if not steps or 2 * steps <= len(positions):
        return
    factor = median(clip.factor for clip in clips)
    if factor >= _MUCH:
        return
    first = clips[0]
    before = _before(survey, first.block)
    if sum(map(bool, before.values())) < 2:
        return  # there is no other that suffers
    owner, grad = max(before.items(), key=lambda item: abs(item[1]))
    share = (grad / first.norm) ** 2
    limit = first.norm * first.factor
    yield Verdict(
        "clipped",
        f"{steps} of {counted(len(positions), 'step')} are clipped, by a median factor of "
        f"{number(factor, 2)}, because {gradient_title(survey.recording, owner)} = {number(grad)} "
        f"makes up {number(100 * share, 3)}% of the squared norm: event {first.position:,} scales "
        f"the norm from {number(first.norm)} down to {number(limit)}",
        "Find what makes that gradient so large (scale its input or its part of the loss), or "
        "raise the limit and lower the learning rate: clipping shrinks every other gradient too.",
        [clip.position for clip in clips[:3]],
        [owner],
        unless=(*bookkeeping.NAMES, "exploding"),
    )


@kept(1)
def _clips(survey: Survey) -> Sequence[Clip]:
    """Return where gradients are clipped to a norm: by `clip_norm`, or by hand."""
    found: list[Clip] = []
    by_hand: list[Clip] = []
    for block in survey.recording.blocks:
        if block.start >= survey.end:
            break
        if isinstance(block, Write) and block.rule and block.rule.method == "clip_norm":
            numbers = block.rule.numbers
            factor = numbers["max_norm"] / (numbers["norm"] + numbers["epsilon"])
            found.append(Clip(block, numbers["norm"], factor))
        elif isinstance(block, Write) and not block.rule and "set" in block.writes.kinds:
            by_hand += _by_hand(survey, block)
    limits = [clip.norm * clip.factor for clip in by_hand]
    factors = [clip.factor for clip in by_hand]
    # A division by the number of rows has the same factor each time, a limit the same norm.
    if all(isclose(limit, limits[0], rel_tol=_SAME) for limit in limits) and not all(
        isclose(factor, factors[0], rel_tol=_SAME) for factor in factors
    ):
        found += by_hand
    return found


def _by_hand(survey: Survey, block: Write) -> Iterator[Clip]:
    """Yield a clip by hand, if that is what a run of writes is: all get the same factor below 1."""
    factor = None
    for node, before in _before(survey, block).items():
        place = block.writes.gradients[node][0]
        if not before:
            return
        own = block.after[place] / before
        if not 0 < own < 1 or not isclose(own, factor or own, rel_tol=_SAME):
            return
        factor = own
    if factor is not None:
        yield Clip(block, hypot(*_before(survey, block).values()), factor)


def _before(survey: Survey, block: Write) -> Mapping[int, float]:
    """The gradients that a run of writes sets, as they are before."""
    grad = survey.recording.history.grad
    return {
        node: grad(node, block.start + places[0]) or 0.0
        for node, places in block.writes.gradients.items()
    }
