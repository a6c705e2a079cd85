"""Parameters that move along the gradient of another one, as by `w.data -= rate * b.grad`.

The numbers show it: in each step, the move is the learning rate times that gradient, perhaps with
the same part of the move before (momentum), and it is not so of the own one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from math import isclose, ulp

from stepgrad.diagnosis.survey import Step, Survey
from stepgrad.diagnosis.verdict import Verdict
from stepgrad.numbers import factor, number
from stepgrad.printable import counted
from stepgrad.recording.blocks import Write
from stepgrad.replay.telling.titles import gradient_title, title

_FEWEST = 3  # steps
_SAME = 1e-5
_VARIES = 0.01
"""By how much moves have to differ from each other: constant ones fit any constant gradient."""

_MOST = 64
"""The most parameters to look at, of those that do not move along their own gradients."""

_NAMED = 2
"""The most others to name."""


@dataclass(frozen=True, eq=False)
class _Moves:
    """The steps in which a parameter moves, by more than rounding can blur, and has a gradient."""

    node: int
    steps: Sequence[Step]

    @cached_property
    def sizes(self) -> Sequence[float]:
        """How far each of them takes it down."""
        return [step.before[self.node] - step.after[self.node] for step in self.steps]

    def rates(self, other: int) -> Sequence[float]:
        """Its moves in units of a gradient, its own or another one's; empty if that is 0 in one."""
        grads = [step.gradients.get(other) for step in self.steps]
        return [s / g for s, g in zip(self.sizes, grads, strict=True) if g] if all(grads) else ()

    def along(self, other: int) -> float | None:
        """The one rate at which it moves along a gradient, with or without momentum."""
        (first, second, *later), sizes = self.steps, self.sizes
        if not (grad := first.gradients.get(other)):
            return None
        rate = sizes[0] / grad
        kept = (sizes[1] - rate * (second.gradients.get(other) or 0.0)) / sizes[0]
        if abs(kept) <= _SAME:
            kept = 0.0
        elif len(sizes) <= _FEWEST or not 0 < kept < 1:
            return None
        for step, before, size in zip(later, sizes[1:-1], sizes[2:], strict=True):
            due = kept * before + rate * (step.gradients.get(other) or 0.0)
            if not isclose(due, size, rel_tol=_SAME, abs_tol=_SAME * abs(kept * before)):
                return None
        return rate


def exchanged(survey: Survey) -> Iterator[Verdict]:
    """Parameters move along the gradients of others."""
    found = [*_found(survey)]
    if not found:
        return
    (moves, other), recording = found[0], survey.recording
    node, step = moves.node, moves.steps[0]
    events = [survey.updated_in(each, node) for each in moves.steps[:_FEWEST]]
    also = "".join(
        f", and {title(recording, each.node)} along {gradient_title(recording, its)}"
        for each, its in found[1 : 1 + _NAMED]
    )
    change = step.after[node] - step.before[node]
    rate = change / (step.gradients[other] or 1.0)
    yield Verdict(
        "wrong_parameters",
        f"{title(recording, node)} moves along {gradient_title(recording, other)}, not along its "
        f"own gradient, in {counted(len(moves.steps), 'update')}{also}: event {events[0]:,} "
        f"changes it by {number(rate)} · {factor(step.gradients[other] or 0.0)}, where "
        f"{gradient_title(recording, node)} is {number(step.gradients[node] or 0.0)}",
        "Update each parameter by its own gradient: `p.data -= learning_rate * p.grad`.",
        events,
        [*dict.fromkeys(each for moves, other in found for each in (moves.node, other))],
    )


def _found(survey: Survey) -> Iterator[tuple[_Moves, int]]:
    """Yield the parameters that do so in all their steps, each with the other one."""
    moves = _moves(survey)
    few = len(moves) <= _MOST
    own = {node: each.rates(node) if few else () for node, each in moves.items()}
    odd = (
        each
        for node, each in moves.items()
        if each.along(node) is None and not _shared(moves, own, each, node)
    )
    for each in islice(odd, _MOST):
        if max(map(abs, each.sizes)) > (1 + _VARIES) * min(map(abs, each.sizes)):
            for other in moves:
                if other == each.node:
                    continue
                if (each.along(other) or 0) > 0 or _shared(moves, own, each, other):
                    yield each, other
                    break


def _moves(survey: Survey) -> Mapping[int, _Moves]:
    """Return the moves of each parameter that moves by hand, at least in a few steps."""
    blocks, history = survey.recording.blocks, survey.recording.history
    found: dict[int, list[Step]] = {}
    for step in survey.steps:
        block = blocks[history.block_at(step.position - 1)]
        if step.passes and isinstance(block, Write) and block.rule is None:
            for node, before in step.before.items():
                moved = abs(step.after[node] - before)
                blur = ulp(max(abs(before), abs(step.after[node])))
                if step.gradients[node] and _SAME * moved > 20 * blur:
                    found.setdefault(node, []).append(step)
    return {node: _Moves(node, its) for node, its in found.items() if len(its) >= _FEWEST}


def _shared(
    moves: Mapping[int, _Moves], own: Mapping[int, Sequence[float]], these: _Moves, other: int
) -> bool:
    """Whether these moves along a gradient have the rates of a third one along its own.

    One that always moves just as far, as by the sign of its gradient, is no evidence.
    """
    rates = these.rates(other) if own[other] else ()
    for node, theirs in own.items() if rates and min(rates) > 0 else ():
        each = moves[node]
        if node not in (these.node, other) and each.steps == these.steps:
            as_far = all(map(_alike, map(abs, each.sizes), map(abs, these.sizes)))
            if not as_far and len(theirs) == len(rates) and all(map(_alike, theirs, rates)):
                return True
    return False


def _alike(one: float, other: float) -> bool:
    return isclose(one, other, rel_tol=_SAME)
