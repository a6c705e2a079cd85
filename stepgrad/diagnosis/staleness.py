"""Values that change between a forward pass and its backward pass: `stale`.

A backward pass takes the numbers of operands as they are when it runs. So where a value has changed
since it was used, a local derivative may be that of another point, and the gradient belongs to no
point at all. And where it is not, the gradient comes late: the update is over.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isclose

from stepgrad.diagnosis.survey import Pass, Survey
from stepgrad.diagnosis.verdict import Verdict
from stepgrad.diagnosis.wording import listed
from stepgrad.numbers import number
from stepgrad.printable import counted
from stepgrad.recording.blocks import Forward, Write
from stepgrad.recording.kept import kept
from stepgrad.recording.recording import Recording
from stepgrad.replay.telling.titles import title

_SAME, _NOTHING = 1e-9, 1e-12
"""Up to which difference a value counts as put back, as after a finite difference."""


@dataclass(frozen=True, slots=True)
class Change:
    """A value that was used in a forward pass has changed before its backward pass.

    Args:
        which: the backward pass.
        node: the node that was written.
        user: a node that was computed from it.
        event: the position just after the last write.
        bends: whether that makes a local derivative another one.
    """

    which: Pass
    node: int
    user: int
    event: int
    bends: bool


def stale(survey: Survey) -> Iterator[Verdict]:
    """Values change between forward and backward, so that gradients are wrong, or come late."""
    changed = changes(survey)
    passes = {change.which.number for change in changed}
    bent = [change for change in changed if change.bends]
    if not bent and len(passes) * 2 <= len(survey.passes):
        return
    change, recording = (bent or changed)[0], survey.recording
    history, which = recording.history, change.which
    name, root = title(recording, change.node), title(recording, which.root)
    user = title(recording, change.user)
    used, seed = history.made_at(change.user), which.seed
    before = history.value(change.node, used)
    after = history.value(change.node, which.block.start)
    assert before is not None
    assert after is not None
    same = {each.which.number for each in changed if each.node == change.node}
    nodes = [*dict.fromkeys(each.node for each in bent or changed)]
    why = (
        "so the pass multiplies by numbers that were not there when its root was computed"
        if bent
        else "so each update uses the gradients of the pass before it"
    )
    yield Verdict(
        "stale",
        f"{name} changes from {number(before)} to {number(after)} (event {change.event}) after "
        f"{user} was computed from it (event {used}) and before the backward pass from {root} "
        f"(event {seed}), {why}; this happens to {listed(recording, nodes)} in {len(same)} of "
        f"{counted(len(survey.passes), 'pass')}",
        "Run forward, backward and update in this order, and compute the loss again after each "
        "change.",
        (change.event, used, seed),
        nodes,
    )


@kept(1)
def changes(survey: Survey) -> Sequence[Change]:
    """Find what has changed between each forward pass and its backward pass."""
    blocks, index = survey.recording.blocks, survey.recording.history.index
    written = index.updated()
    starts = sorted({blocks[each].start for node in written for each in index.value_writes(node)})
    used: dict[int, Sequence[int]] = {}  # by the base of a forward pass
    found: list[Change] = []
    for which in survey.passes:
        latest = bisect_left(starts, which.block.start)
        for place in which.block.sweep.swept if latest else ():
            forward = which.block.over[place]
            if starts[latest - 1] < forward.start:
                continue
            if forward.base not in used:
                used[forward.base] = [node for node in written if forward.users(node)]
            for node in used[forward.base]:
                found += _changed(survey, which, forward, node)
    return found


def _changed(survey: Survey, which: Pass, forward: Forward, node: int) -> Iterator[Change]:
    """Yield the change of a value, if a node that a pass goes through was computed before it."""
    history, block = survey.recording.history, which.block
    begin, end = forward.start + forward.length, block.start
    before, after = history.value(node, begin), history.value(node, end)
    if before is None or after is None or isclose(before, after, rel_tol=_SAME, abs_tol=_NOTHING):
        return
    users = [forward.base + offset for offset in forward.users(node)]
    users = [user for user in users if block.column(user) is not None]
    if users:
        bent = [user for user in users if _bends(survey.recording, user, begin, which)]
        yield Change(which, node, (bent or users)[0], _written(survey, node, end), bool(bent))


def _bends(recording: Recording, user: int, begin: int, which: Pass) -> bool:
    """Whether a node passes on another gradient than it did when it was computed."""
    history, block = recording.history, which.block
    column = block.column(user)
    assert column is not None, "the pass goes through it"
    return any(
        history.carry(user, slot, begin)(block.grads[column])
        != history.carry(user, slot, block.start)(block.grads[column])
        for slot, operand in enumerate(recording.node(user).operands)
        if not recording.is_constant(operand)
    )


def _written(survey: Survey, node: int, end: int) -> int:
    """The position just after the last write to a value before a position."""
    blocks = survey.recording.blocks
    for each in reversed(survey.recording.history.index.value_writes(node)):
        block = blocks[each]
        if isinstance(block, Write) and block.start < end:
            return block.start + block.writes.updates[node][-1] + 1
    raise AssertionError("it has been written")
