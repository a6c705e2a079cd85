"""What happened in a recording, in brief: its passes, its steps, its parameters (`Survey`).

It is gathered in one walk over the blocks, which costs a few operations for each leaf of a pass.
Questions that need more ask the recording.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from math import isfinite

from stepgrad.engine.ops import LEAF
from stepgrad.recording.blocks import Backward, Block, Forward, Write
from stepgrad.recording.foreign.remark import PYTORCH
from stepgrad.recording.kept import kept
from stepgrad.recording.recording import Recording
from stepgrad.recording.sweep import Sweep


@dataclass(frozen=True, slots=True, eq=False)
class Pass:
    """A backward pass.

    Args:
        number: which one it is, counted from 0.
        block: its block in the log.
        loss: the value of its root.
        gradients: of each leaf that it reaches, the gradient after it.
        carried: of those whose gradient was not 0 before it, what it was.
    """

    number: int
    block: Backward
    loss: float
    gradients: Mapping[int, float]
    carried: Mapping[int, float]

    @property
    def root(self) -> int:
        """The node that it starts from."""
        return self.block.root

    @property
    def seed(self) -> int:
        """The position just after its seed."""
        return self.block.start + 1

    @property
    def end(self) -> int:
        """The position at its end."""
        return self.block.start + self.block.length

    def arrival(self, leaf: int) -> int:
        """The position just after its first contribution to a leaf that it reaches."""
        column = self.block.column(leaf)
        assert column is not None, "the pass has reached it"
        edges = self.block.sweep.incoming[column]
        return self.block.arrival(edges[0]) if edges else self.seed


@dataclass(slots=True, eq=False)
class Step:
    """Parameters are updated: all writes to their values without a pass in between.

    Args:
        position: just after its first write.
        passes: the numbers of the backward passes since the step before it.
        before: the value of each parameter that it writes; where it writes one several times,
            before the first.
        gradients: the gradient of each at that time; None where none had arrived.
        after: the value of each in the end.
    """

    position: int
    passes: range
    before: dict[int, float] = field(default_factory=dict)
    gradients: dict[int, float | None] = field(default_factory=dict)
    after: dict[int, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Survey:
    """A recording, in brief.

    `end` is the position up to which it is surveyed: up to the first number that is not finite, as
    those after it say nothing. `unreliable` is the block that has that number, if there is one.
    `parameters` are the leaves that a scenario declares as such, and those that are updated: by an
    optimizer, or by hand once there are gradients. What is written before is an input; what only
    moves by hand while its gradient is 0 is an average, or a copy.
    """

    recording: Recording
    passes: Sequence[Pass]
    steps: Sequence[Step]
    parameters: Collection[int]
    end: int
    unreliable: Block | None

    @cached_property
    def losses(self) -> Sequence[float]:
        """The value of each pass's root."""
        return [each.loss for each in self.passes]

    @cached_property
    def shapes(self) -> Sequence[Sequence[Pass]]:
        """The passes of each shape, in order; the most frequent shape first."""
        found: dict[Sweep, list[Pass]] = {}
        for each in self.passes:
            found.setdefault(each.block.sweep, []).append(each)
        return sorted(found.values(), key=len, reverse=True)

    def updated_in(self, step: Step, node: int) -> int:
        """Return the position just after a step has first written a parameter."""
        write = self.recording.history.value_write
        before = write(node, step.position - 1)
        return next(each for each in count(step.position) if write(node, each) != before)

    def updated_before(self, node: int, position: int) -> int:
        """Return the position just after the last update of a node that was updated before."""
        written = self.recording.history.value_write(node, position)
        assert written is not None, "it was updated before"
        block, write = written
        return block.start + write + 1

    def received(self, which: Pass) -> Mapping[int, float]:
        """Return what each leaf received from a pass, without what had been there before."""
        return {**which.gradients, **{leaf: self._sum(which, leaf) for leaf in which.carried}}

    def received_nothing(self, which: Pass, leaf: int) -> bool:
        """Whether a leaf that a pass reaches received exactly 0 from it."""
        after, before = which.gradients[leaf], which.carried.get(leaf, 0.0)
        return after == before and (not before or self._sum(which, leaf) == 0)

    def _sum(self, which: Pass, leaf: int) -> float:
        history, block = self.recording.history, which.block
        column = block.column(leaf)
        assert column is not None, "the pass has reached it"
        return sum(history.edge(block, edge)[2] for edge in block.sweep.incoming[column])


@kept(1)
def survey(recording: Recording, declared: frozenset[int] = frozenset()) -> Survey:
    """Survey a recording. `declared` are leaves that its scenario names as parameters.

    In a PyTorch program, each leaf is one: what asks for no gradient is a constant there.
    """
    walk = _Walk(recording)
    if any(remark.kind in PYTORCH for remark in recording.remarks):
        declared |= {*_every_leaf(recording)}
    unreliable = None
    end = 0
    for block in recording.blocks:
        if not _finite(block):
            unreliable = block
            break
        walk.take(block)
        end = block.start + block.length
    parameters = walk.parameters(declared)
    steps = [step for step in walk.steps if step.before]
    return Survey(recording, walk.passes, steps, parameters, end, unreliable)


def _every_leaf(recording: Recording) -> Iterator[int]:
    for block in recording.blocks:
        if isinstance(block, Forward):
            code, at = bytes([LEAF.code]), -1
            while (at := block.structure.codes.find(code, at + 1)) >= 0:
                yield block.base + at


def _finite(block: Block) -> bool:
    match block:
        case Forward():
            columns = [block.values, block.tangents or ()]
        case Backward():
            columns = [block.grads]
        case Write():
            columns = [block.after]
        case _:
            columns = []
    return all(all(map(isfinite, column)) for column in columns)


class _Walk:
    """The state of a walk over blocks: the numbers of leaves as they are by now."""

    def __init__(self, recording: Recording) -> None:
        self.passes: list[Pass] = []
        self.steps: list[Step] = []
        self._recording = recording
        self._values: dict[int, float] = {}
        self._grads: dict[int, float] = {}
        self._inputs: set[int] = set()  # that are written in place
        self._by_rule: set[int] = set()
        self._stepping = False
        self._stepped = 0  # the passes before the current step

    def parameters(self, declared: Collection[int]) -> Collection[int]:
        """Return the leaves that learn, and leave nothing else in the steps."""
        moved: set[int] = set()
        learns = {*declared, *self._by_rule}
        for step in self.steps:
            moved |= {node for node, before in step.before.items() if step.after[node] != before}
            learns |= {node for node, gradient in step.gradients.items() if gradient}
        still = {node for step in self.steps for node in step.before} - moved
        found = {node: None for node in sorted(learns | still) if self._is_leaf(node)}
        for step in self.steps:
            for node in step.before.keys() - found.keys():
                del step.before[node], step.gradients[node], step.after[node]
        return found.keys()

    def _is_leaf(self, node: int) -> bool:
        return self._recording.operation(node)[0] is LEAF

    def take(self, block: Block) -> None:
        """Go on over the next block."""
        match block:
            case Forward():
                self._stepping = False
            case Backward():
                self._stepping = False
                self._pass(block)
            case Write():
                self._write(block)

    def _pass(self, block: Backward) -> None:
        gradients = {node: block.grads[place] for node, place in _leaves(block)}
        carried = {node: left for node in gradients if (left := self._grads.get(node))}
        self._grads |= gradients
        number = len(self.passes)
        loss = self._recording.history.value(block.root, block.start)
        assert loss is not None, "a pass starts from what is made"
        self.passes.append(Pass(number, block, loss, gradients, carried))

    def _write(self, block: Write) -> None:
        writes = block.writes
        for place, (kind, node, after) in enumerate(
            zip(writes.kinds, writes.nodes, block.after, strict=False)
        ):
            if kind != "update":
                self._grads[node] = after
            elif block.rule:
                self._by_rule.add(node)
                self._update(block.start + place + 1, node, after)
            elif self._learnt(node) and node not in self._inputs:
                self._update(block.start + place + 1, node, after)
            elif after != self._value(node):  # a step along a gradient of 0 writes no input
                self._inputs.add(node)
                self._values[node] = after

    def _learnt(self, node: int) -> bool:
        """Whether there are gradients to learn from: of a pass, or of this node by hand."""
        return bool(self.passes or self._grads.get(node))

    def _update(self, position: int, node: int, after: float) -> None:
        if not self._stepping:
            self._stepping = True
            self.steps.append(Step(position, range(self._stepped, len(self.passes))))
            self._stepped = len(self.passes)
        step = self.steps[-1]
        if node not in step.before:
            step.before[node] = self._value(node)
            step.gradients[node] = self._grads.get(node)
        self._values[node] = step.after[node] = after

    def _value(self, node: int) -> float:
        values = self._values
        return values[node] if node in values else self._recording.history.first_value(node)


def _leaves(block: Backward) -> Iterator[tuple[int, int]]:
    """Yield the leaves that a pass reaches, each with its place in the column."""
    sweep = block.sweep
    place = 0
    for number, offsets in sweep.stretches:
        base = block.over[number].base
        if place >= sweep.computed:
            yield from ((base + offset, place + i) for i, offset in enumerate(offsets))
        place += len(offsets)
