"""What becomes of each gradient between passes and updates: cleared, arrived, used.

One walk over the blocks keeps, for each leaf, whether its gradient is clear, has arrived, or has
been used by an update. Runs of writes of one kind, which nearly all are, are handled at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass, field
from itertools import pairwise
from math import isclose
from typing import Any

from stepgrad.diagnosis.bookkeeping.rates import follows, learns
from stepgrad.diagnosis.bookkeeping.roots import Roots
from stepgrad.diagnosis.survey import Pass, Survey
from stepgrad.engine.tape import WriteKind
from stepgrad.recording.blocks import Backward, Block, Forward, Write
from stepgrad.recording.kept import kept
from stepgrad.recording.writes import Writes
from stepgrad.recording.written import Written

_SAME = 1e-6


@dataclass(slots=True)
class Fault:
    """What has gone wrong with the gradient of one leaf, or with its updates.

    Args:
        event: the position just after the event that does it, the first time.
        because: the same of an earlier event that makes it wrong.
        gradient: the gradient before that event.
        steps: the steps in which it happens, by number.
    """

    event: int
    because: int
    gradient: float
    steps: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Faults:
    """The faults of each kind, by leaf.

    Args:
        not_cleared: an update uses what an earlier update has used, with what came on top of it.
        doubled: a pass arrives on what a pass from its root, or from a node on its way, has brought
            before any use; then the sum is used.
        wiped: an update finds 0, as what had arrived was cleared before any use.
        twice: a step takes a parameter along its gradient two times.
    """

    not_cleared: dict[int, Fault] = field(default_factory=dict)
    doubled: dict[int, Fault] = field(default_factory=dict)
    wiped: dict[int, Fault] = field(default_factory=dict)
    twice: dict[int, Fault] = field(default_factory=dict)


@kept(1)
def find_faults(survey: Survey) -> Faults:
    """Go through a recording, and return what has gone wrong with its gradients."""
    tracker = _Tracker(survey)
    for block in survey.recording.blocks:
        if block.start >= survey.end:
            break
        tracker.take(block)
    tracker.close()
    return tracker.faults


@dataclass(frozen=True, eq=False)
class _Shape:
    """What the tracker asks of a run of writes: what it clears, sets and updates, in order.

    What becomes of one leaf says nothing about another. So those are taken together to which the
    same is done, as in a loop that updates and clears each.
    """

    runs: Sequence[tuple[WriteKind, Set[int]]]
    repeated: Sequence[int]

    @classmethod
    def of(cls, writes: Writes, parameters: Collection[int]) -> _Shape:
        """Read a run of writes; `repeated` are the parameters that it updates several times."""
        done = defaultdict[int, list[WriteKind]](list)
        for kind, node in zip(writes.kinds, writes.nodes, strict=True):
            done[node].append(kind)
        alike = defaultdict[tuple[WriteKind, ...], list[int]](list)
        for node, kinds in done.items():
            alike[(*kinds,)].append(node)
        runs = [(kind, frozenset(nodes)) for kinds, nodes in alike.items() for kind in kinds]
        often = (node for node, written in writes.updates.items() if len(written) > 1)
        return cls(runs, [node for node in often if node in parameters])


class _Tracker:
    """What is known of each gradient so far.

    `_arrived` are leaves whose gradient no update has used; `_used` are others whose gradient is
    not clear, each with the step that has used it last. `_on_top`, `_again` and `_lost` hold faults
    that come true if an update uses the gradient.
    """

    def __init__(self, survey: Survey) -> None:
        self.faults = Faults()
        self._survey = survey
        self._passes = iter(survey.passes)
        self._step = -1
        self._arrived: set[int] = set()
        self._used: dict[int, int] = {}
        self._on_top: dict[int, tuple[Fault, int]] = {}
        self._again: dict[int, Fault] = {}
        self._lost: dict[int, Write] = {}
        self._by_rule: dict[int, list[Set[int]]] = {}
        self._stepped: list[tuple[Set[int], Write]] = []  # by rule, since the last node or pass
        self._roots = Roots(survey.recording.history)
        self._learns: dict[int, bool] = {}  # by hand
        self._shapes: dict[Writes, _Shape] = {}

    def take(self, block: Block) -> None:
        """Go on over the next block."""
        match block:
            case Forward():
                self._stepped.clear()
            case Backward():
                self._stepped.clear()
                self._pass(next(self._passes))
            case Write():
                self._write(block)

    def close(self) -> None:
        """At the end: where nothing is updated, gradients are what the program is for."""
        if not self._survey.steps:
            self.faults.doubled |= self._again

    # Passes.

    def _pass(self, each: Pass) -> None:
        learns = self._survey.steps
        reached = each.gradients.keys() & self._survey.parameters if learns else each.gradients
        if each.carried:
            self._lands(each)
        _drop(reached, self._lost, self._used)
        self._roots.add(each)
        self._arrived.update(reached)

    def _lands(self, each: Pass) -> None:
        """Take in a pass that adds to gradients which are not clear."""
        repeated = [*self._roots.within(each)]
        for node, before in each.carried.items():
            if node in self._used:
                used = self._survey.updated_before(node, each.block.start)
                fault = Fault(each.arrival(node), used, before)
                self._on_top.setdefault(node, (fault, self._used[node]))
            elif repeated and node in self._arrived:
                self._repeats(node, repeated, each)

    def _repeats(self, node: int, repeated: Sequence[Pass], each: Pass) -> None:
        """Take in a gradient that holds what one of the repeated passes has brought."""
        blocks = {earlier.block: earlier for earlier in repeated}
        for block, _ in self._survey.recording.history.gradient_writes(node, each.block.start):
            if isinstance(block, Backward) and (earlier := blocks.get(block)):
                fault = Fault(each.arrival(node), earlier.arrival(node), each.carried[node])
                self._again.setdefault(node, fault)
                return
            if isinstance(block, Write) and block.rule is None:
                return

    # Writes.

    def _write(self, block: Write) -> None:
        shape = self._shapes.get(block.writes)
        if shape is None:
            shape = _Shape.of(block.writes, self._survey.parameters)
            self._shapes[block.writes] = shape
        steps = self._survey.steps
        end = block.start + block.length
        while self._step + 1 < len(steps) and steps[self._step + 1].position <= end:
            self._step += 1
        for kind, nodes in shape.runs:
            if kind == "update":
                self._update(block, nodes)
            elif kind == "zero":
                self._clear(block, nodes)
            elif block.rule is None:
                self._set(nodes)
        for node in shape.repeated:
            self._repeated(block, node)

    def _clear(self, block: Write, nodes: Set[int]) -> None:
        lost = self._arrived & nodes
        self._arrived -= lost
        _drop(nodes, self._used, self._on_top, self._again)
        self._lost |= dict.fromkeys(lost, block)

    def _set(self, nodes: Set[int]) -> None:
        """Gradients are written by hand: what they were before does not matter."""
        _drop(nodes, self._used, self._on_top, self._again, self._lost)
        self._arrived |= nodes

    def _update(self, block: Write, nodes: Set[int]) -> None:
        if self._step < 0:
            return
        by_rule = block.rule is not None
        if by_rule:
            self._by_rule.setdefault(self._step, []).append(nodes)
            self._again_by_rule(block, nodes)
        for state in (self._on_top, self._again, self._lost):
            for node in state.keys() & nodes if state else ():
                self._comes_true(block, node)
        used = self._arrived & nodes
        self._arrived -= used
        self._used |= dict.fromkeys(used, self._step)

    def _comes_true(self, block: Write, node: int) -> None:
        """An update uses a gradient with which something has gone wrong."""
        step, faults = self._step, self.faults
        on_top, again = self._on_top.pop(node, None), self._again.pop(node, None)
        lost = self._lost.pop(node, None)
        if on_top and self._uses(step, node) and self._uses(on_top[1], node):
            _note(faults.not_cleared, node, on_top[0], step)
        elif again and self._uses(step, node):
            _note(faults.doubled, node, again, step)
        elif lost and (gradient := self._cleared(lost, node)) and self._still(node):
            event = Written(block, block.writes.updates[node][0]).position
            because = Written(lost, lost.writes.gradients[node][-1]).position
            _note(faults.wiped, node, Fault(event, because, gradient), step)

    def _uses(self, step: int, node: int) -> bool:
        """Whether a step moves a parameter by its gradient."""
        if any(node in nodes for nodes in self._by_rule.get(step, ())):
            return True
        if node not in self._learns:
            self._learns[node] = learns(self._survey.steps, node)
        return self._learns[node]

    def _still(self, node: int) -> bool:
        """Whether a step uses a gradient of 0 that it finds: by a rule, or by not moving."""
        step = self._survey.steps[self._step]
        by_rule = any(node in nodes for nodes in self._by_rule.get(self._step, ()))
        return by_rule or (node in step.before and step.before[node] == step.after[node])

    def _cleared(self, block: Write, node: int) -> float | None:
        """The gradient that a write has cleared."""
        first = block.writes.gradients[node][0]
        return self._survey.recording.history.grad(node, block.start + first)

    def _again_by_rule(self, block: Write, nodes: Set[int]) -> None:
        """An optimizer updates parameters a second time, with no pass in between."""
        history = self._survey.recording.history
        new = nodes
        for others, earlier in self._stepped:
            again, new = new & others, new - others
            for node in again:
                first, event = (
                    Written(each, each.writes.updates[node][0]).position
                    for each in (earlier, block)
                )
                fault = Fault(event, first, history.grad(node, event) or 0.0)
                _note(self.faults.twice, node, fault, self._step)
        self._stepped.append((nodes, block))

    def _repeated(self, block: Write, node: int) -> None:
        """A parameter is updated several times by hand, each time by the same amount."""
        if self._step < 0:
            return
        places = block.writes.updates[node]
        before = self._survey.recording.history.value(node, block.start)
        assert before is not None, "it is updated"
        values = [before, *(block.after[place] for place in places)]
        first, *others = (after - before for before, after in pairwise(values))
        same = all(isclose(first, other, rel_tol=_SAME) for other in others)
        if first and same and follows(self._survey.steps, self._step, node):
            earlier, event = (Written(block, place).position for place in places[:2])
            gradient = self._survey.recording.history.grad(node, event) or 0.0
            fault = Fault(event, earlier, gradient)
            _note(self.faults.twice, node, fault, self._step)


def _drop(nodes: Collection[int], *states: dict[int, Any]) -> None:
    """Forget some nodes. Most states are usually empty."""
    for state in filter(None, states):
        for node in state.keys() & nodes:
            del state[node]


def _note(faults: dict[int, Fault], node: int, fault: Fault, step: int) -> None:
    """Add a fault, or the step to the one that is there."""
    faults.setdefault(node, fault).steps.append(step)
