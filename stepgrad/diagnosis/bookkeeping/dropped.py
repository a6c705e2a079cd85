"""Passes that are cleared as a whole before the next one, as by a `zero_grad` in the inner loop."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from stepgrad.diagnosis.bookkeeping.rates import follows
from stepgrad.diagnosis.bookkeeping.unused import reads_gradients
from stepgrad.diagnosis.bookkeeping.updates import lines_of
from stepgrad.diagnosis.survey import Pass, Step, Survey
from stepgrad.recording.blocks import Write
from stepgrad.recording.written import written
from stepgrad.replay.telling.titles import made_by

_FEWEST = 3  # passes


@dataclass(frozen=True, slots=True)
class Dropped:
    """A step that uses only the last of its passes.

    Args:
        step: the step.
        clears: the position just after the first gradient of its first pass is cleared.
        node: whose gradient that is.
    """

    step: Step
    clears: int
    node: int


def dropped(survey: Survey) -> Iterator[Dropped]:
    """Yield the steps before which all passes but the last are cleared whole.

    The passes are from one line, and at least three: the first of two may be there to be looked
    at, such as one on validation data. What is updated by hand may use numbers that the program has
    kept: so it goes along the last gradients, and nothing else reads any.
    """
    if all(len(step.passes) < _FEWEST for step in survey.steps):
        return
    kept = reads_gradients(survey.recording, {at for at, _ in lines_of(survey.recording, "reads")})
    for which, step in enumerate(survey.steps):
        passes = [survey.passes[number] for number in step.passes]
        learns = step.before.keys()
        if len(passes) < _FEWEST or not _one_loop(survey, passes, learns):
            continue
        if _by_rule(survey, step) or not (kept or _strays(survey.steps, which)):
            cleared = [_cleared(survey, *pair, learns) for pair in pairwise(passes)]
            if all(cleared) and cleared[0] and not _rewritten(survey, passes[-1], step):
                yield Dropped(step, *cleared[0])


def _by_rule(survey: Survey, step: Step) -> bool:
    recording = survey.recording
    block = recording.blocks[recording.history.block_at(step.position - 1)]
    return isinstance(block, Write) and block.rule is not None


def _strays(steps: Sequence[Step], which: int) -> bool:
    """Whether a step by hand moves a parameter otherwise than along its gradient."""
    learnt = (node for node, gradient in steps[which].gradients.items() if gradient)
    return not all(follows(steps, which, node) for node in learnt)


def _rewritten(survey: Survey, last: Pass, step: Step) -> bool:
    """Whether gradients are written by hand between the last pass and the step: a kept sum, say."""
    between = survey.recording.blocks_between(last.end, step.position)
    by_hand = (each.writes for each in between if isinstance(each, Write) and each.rule is None)
    return any(not writes.gradients.keys().isdisjoint(step.before) for writes in by_hand)


def _one_loop(survey: Survey, passes: Sequence[Pass], learns: Collection[int]) -> bool:
    """Whether the roots of passes are made by one line, and the same parameters receive something.

    Their shapes may differ: the last batch is often smaller.
    """
    recording = survey.recording
    first, *others = (
        (made_by(recording, recording.node(each.root)), each.gradients.keys() & learns)
        for each in passes
    )
    return bool(first[0]) and all(other == first for other in others)


def _cleared(
    survey: Survey, which: Pass, following: Pass, learns: Collection[int]
) -> tuple[int, int] | None:
    """Where all that a pass has brought is cleared before the next pass, and of which node first.

    None where something is left, or written by hand.
    """
    left = {node for node in learns if which.gradients.get(node)}
    found: tuple[int, int] | None = None
    for block in survey.recording.blocks_between(which.end, following.block.start):
        if isinstance(block, Write):
            for each in written(block):
                if each.node in left and each.kind != "zero":
                    return None
                if each.node in left:
                    found = found or (each.position, each.node)
                    left.remove(each.node)
    return found if not left else None
