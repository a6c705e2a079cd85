"""Values that change between a forward pass and its backward pass: `stale`.

A backward pass takes the numbers of operands as they are when it runs. So where a value has changed
since it was used, a local derivative may be that of another point, and the gradient belongs to no
point at all. And where it is not, the gradient comes late: the update is over.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from math import isclose

from stepgrad.diagnosis.bookkeeping.rates import follows
from stepgrad.diagnosis.survey import Pass, Survey
from stepgrad.diagnosis.verdict import Verdict
from stepgrad.diagnosis.wording import listed
from stepgrad.numbers import number
from stepgrad.printable import counted
from stepgrad.recording.blocks import Forward
from stepgrad.recording.kept import kept
from stepgrad.replay.telling.titles import title

_SAME, _NOTHING = 1e-9, 1e-12
"""Up to which difference a value counts as put back, as after a finite difference."""


@dataclass(frozen=True, slots=True)
class Change:
    """A value that was used in a forward pass has changed before its backward pass.

    Args:
        which: the backward pass.
        forward: the forward pass.
        node: the node that was written.
    """

    which: Pass
    forward: Forward
    node: int

    @property
    def used(self) -> int:
        """The position at which it was used."""
        return self.forward.start + self.forward.length

    @property
    def users(self) -> Sequence[int]:
        """What was computed from it, and the backward pass goes through."""
        users = (self.forward.base + offset for offset in self.forward.users(self.node))
        return [user for user in users if self.which.block.column(user) is not None]


def stale(survey: Survey) -> Iterator[Verdict]:
    """Values change between forward and backward, so that gradients are wrong, or come late."""
    changed = changes(survey)
    passes = {change.which.number for change in changed}
    bent = next((change for change in changed if bends(survey, change)), None)
    if not (bent or (passes and _mostly(survey, passes))):
        return
    change, recording = bent or changed[0], survey.recording
    which, history = change.which, recording.history
    name, root = title(recording, change.node), title(recording, which.root)
    user = change.users[0]
    made = history.made_at(user)
    event = survey.updated_before(change.node, which.block.start)
    before = history.value(change.node, change.used)
    after = history.value(change.node, which.block.start)
    assert before is not None
    assert after is not None
    same = {each.which.number for each in changed if each.node == change.node}
    nodes = [*dict.fromkeys(each.node for each in changed)]
    if bent:
        why = "so its gradients mix old and new values"
    elif _lags(survey, change):
        why = "so each update uses the gradients of the previous pass"
    else:
        why = f"so the gradients are those at {name} = {number(before)}"
    yield Verdict(
        "stale",
        f"{name} changes from {number(before)} to {number(after)} (event {event:,}) after "
        f"{title(recording, user)} was computed from it (event {made:,}) and before the backward "
        f"pass from {root} (event {which.seed:,}), {why}; this happens to "
        f"{listed(recording, nodes)} in {len(same)} of {counted(len(survey.passes), 'pass')}",
        "Run forward, backward and update in this order, and compute the loss again after each "
        "change.",
        (event, made, which.seed),
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
    value, change = survey.recording.history.value, Change(which, forward, node)
    before, after = value(node, change.used), value(node, which.block.start)
    if before is None or after is None:
        return
    if not isclose(before, after, rel_tol=_SAME, abs_tol=_NOTHING) and change.users:
        yield change


def _mostly(survey: Survey, late: Set[int]) -> bool:
    """Whether most updates come after a late pass; where nothing is updated, whether most are."""
    groups: list[Sequence[int]] = [step.passes for step in survey.steps if step.passes]
    groups = groups or [[each.number] for each in survey.passes]
    return 2 * sum(not late.isdisjoint(group) for group in groups) > len(groups)


def _lags(survey: Survey, change: Change) -> bool:
    """Whether the change is an update along the gradient of the pass before, as in a loop."""
    passes, number_ = survey.passes, change.which.number
    if not number_ or change.forward.start < passes[number_ - 1].end:
        return False
    steps = (n for n, step in enumerate(survey.steps) if number_ - 1 in step.passes)
    return any(
        change.which.seed > survey.steps[n].position > change.used
        and follows(survey.steps, n, change.node)
        for n in steps
    )


def bends(survey: Survey, change: Change) -> bool:
    """Whether what was computed passes on another gradient than it did before the change."""
    recording, block = survey.recording, change.which.block
    for user in change.users:
        column = block.column(user)
        assert column is not None, "the pass goes through it"
        node, upstream = recording.node(user), block.grads[column]
        for slot, operand in enumerate(node.operands):
            if node.op.partials[slot].constant is None and not recording.is_constant(operand):
                carry = recording.history.carry
                then, now = (carry(user, slot, at) for at in (change.used, block.start))
                if then(upstream) != now(upstream):
                    return True
    return False
