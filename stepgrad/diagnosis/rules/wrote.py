"""What the rules of an engine wrote in a backward pass (`Wrote`), and when numbers are the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from math import inf, isfinite, nextafter
from typing import NamedTuple

from stepgrad.engine.ops import CONSTANT, Op
from stepgrad.engine.own import OwnOp
from stepgrad.engine.tape import Place
from stepgrad.recording.blocks import Block, Write
from stepgrad.recording.foreign.sweep import ForeignBackward, ForeignSweep
from stepgrad.recording.kept import kept
from stepgrad.recording.recording import Recording

SAME = 1e-6
"""How far numbers may differ, relative to themselves: an engine may compute in single precision."""

BY_DIFFERENCES = 1e-5
"""The same where the true derivative comes from differences."""

_CANCELLED = 1e-12
"""How far a contribution may be off, relative to the sum that it is read off.

And relative to what arrives, in a function: its derivative may be a small difference, as 1 − s is.
"""


class Wrote(NamedTuple):
    """A rule adds something to the gradient of an operand.

    Args:
        position: just after the event.
        out: the node whose rule it is.
        op: the operation of that.
        slot: which operand receives.
        slots: all operands that are this node: two in x·x.
        node: that operand.
        upstream: what arrives at `out`.
        local: the true local derivative.
        before: the gradient of the operand before.
        after: the same after.
        place: the line that wrote; None where it is not known.
        entry: the entry of `out` in the column of its block.
        part: the numbers of that block.
    """

    position: int
    out: int
    op: Op
    slot: int
    slots: tuple[int, ...]
    node: int
    upstream: float
    local: float
    before: float
    after: float
    place: Place | None
    entry: int
    part: Numbers

    @property
    def received(self) -> float:
        """What was added."""
        return self.after - self.before

    @property
    def expected(self) -> float:
        """What is due."""
        return self.upstream * self.local

    def is_(self, want: float) -> bool:
        """Whether what was added is this."""
        return self.close(self.received, want)

    def close(self, got: float, want: float) -> bool:
        """Whether two numbers are the same, up to rounding and the error of differences."""
        if got == want:
            return True
        scale = max(abs(self.before), abs(self.after))
        off = tolerance(self.op) * max(abs(got), abs(want)) + _CANCELLED * scale
        if self.op.stored or len(self.op.partials) == 1:
            off += (1e-8 if by_differences(self.op) else _CANCELLED) * abs(self.upstream)
        return abs(got - want) <= off


def by_differences(op: Op) -> bool:
    """Whether the true derivatives of an operation are found by differences."""
    return isinstance(op, OwnOp) and op.by == "differences"


def tolerance(op: Op) -> float:
    """Return how far the local derivatives of an operation may be off."""
    return BY_DIFFERENCES if by_differences(op) else SAME


def foreign_passes(blocks: Sequence[Block]) -> list[ForeignBackward]:
    """Return the backward passes that a program ran itself."""
    return [block for block in blocks if isinstance(block, ForeignBackward)]


Parts = Sequence[ForeignBackward]
"""The blocks of a pass, mostly one: what else is written in the middle of it divides it."""


def whole_passes(blocks: Sequence[Block]) -> list[Parts]:
    """Return the passes that a program ran itself, each with its parts in order.

    One goes on where a rule runs that nothing has seeded, of a node that the part before it, or
    what was written to gradients since then, has reached.
    """
    found: list[list[ForeignBackward]] = []
    written: set[int] | None = None  # since the part before; None if it is over
    for block in blocks:
        if isinstance(block, ForeignBackward):
            seeded = block.place(0).line is not None
            if written is not None and not seeded and _reached(block.root, written, found[-1]):
                found[-1].append(block)
            else:
                found.append([block])
            written = set()
        elif written is not None and isinstance(block, Write) and not block.writes.updates:
            written.update(block.writes.nodes)
        else:
            written = None
    return [*found]


def _reached(node: int, written: Set[int], parts: Parts) -> bool:
    return node in written or parts[-1].column(node) is not None


@dataclass(frozen=True, eq=False)
class Shape:
    """The operations of a pass, by the entry of their node in the column of the sweep.

    Args:
        ops: the operation of each computed node.
        operands: its operands, each by the number of its forward pass, and its offset there.
        alike: for each operand, all operands that are the same node: both of x·x.
        due: which operands receive something: all but constants.
    """

    ops: Sequence[Op]
    operands: Sequence[Sequence[tuple[int, int]]]
    alike: Sequence[Sequence[tuple[int, ...]]]
    due: Sequence[Sequence[int]]


@kept(1)
def shape_of(sweep: ForeignSweep) -> Shape:
    """Return the operations of a sweep."""
    entries = range(sweep.computed)
    ops = [sweep.structures[sweep.passes[e]].op(sweep.offsets[e]) for e in entries]
    operands = [sweep.operands(entry) for entry in entries]
    due = [
        [slot for slot, at in enumerate(given) if not _constant(sweep, at)] for given in operands
    ]
    alike = [
        [tuple([slot for slot, at in enumerate(given) if at == each]) for each in given]
        for given in operands
    ]
    return Shape(ops, operands, alike, due)


def _constant(sweep: ForeignSweep, at: tuple[int, int]) -> bool:
    number, offset = at
    return number < 0 or sweep.structures[number].op(offset) is CONSTANT


class Numbers:
    """The numbers of a pass: values, local derivatives, and what was left over before it."""

    def __init__(self, recording: Recording, block: ForeignBackward) -> None:
        self.shape = shape_of(block.sweep)
        self._history = recording.history
        self._block = block
        self._values = [self._history.values(forward, block.start) for forward in block.over]

    def inputs(self, entry: int) -> Sequence[float]:
        """The values of the operands of a node."""
        block = self._block
        operands = self.shape.operands[entry]
        if all(number >= 0 for number, _ in operands):
            return [self._values[number][offset] for number, offset in operands]
        forward = block.over[block.sweep.passes[entry]]
        refs = forward.structure.operands(block.sweep.offsets[entry])
        return [self._history.value(node, block.start) or 0.0 for node in forward.nodes(refs)]

    def local(self, entry: int, slot: int) -> float:
        """The true derivative of a node with respect to one of its operands."""
        sweep, op = self._block.sweep, self.shape.ops[entry]
        if op.stored:
            return self._history.local(self._block.node(entry), slot, self._block.start)
        out = self._values[sweep.passes[entry]][sweep.offsets[entry]]
        return op.local[slot](*self.inputs(entry), out)

    def local_as_made(self, entry: int, slot: int) -> float:
        """The same with the values that the node was computed from: these may have changed."""
        node = self.node(entry)
        return self._history.local(node, slot, self._history.made_at(node))

    def sides(self, entry: int, slot: int) -> tuple[float, float] | None:
        """The least and the greatest derivative at a kink; None where there is no kink.

        Anything in between is right there.
        """
        op = self.shape.ops[entry]
        if op.stored or not op.forward.piecewise:
            return None
        inputs = self.inputs(entry)
        if not op.at_kink(inputs):
            return None
        found = []
        for end in (-inf, inf):
            beside = [nextafter(x, end) if i == slot else x for i, x in enumerate(inputs)]
            found.append(op.local[slot](*beside, op.value(*beside)))
        return min(found), max(found)

    def left_over(self, entry: int) -> float:
        """The gradient of a node before the pass."""
        return self._history.grad(self._block.node(entry), self._block.start) or 0.0

    @property
    def end(self) -> int:
        """The position at the end of the block."""
        return self._block.start + self._block.length

    def node(self, entry: int) -> int:
        """The node of an entry of the column."""
        return self._block.node(entry)

    def writes(self, replacing: Set[Place]) -> Iterator[Wrote]:
        """Yield what the rules wrote, in order; lines that are `replacing` add to nothing."""
        block, sweep, shape = self._block, self._block.sweep, self.shape
        nodes, after, start = block.nodes, [*block.after], block.start
        places = [place if place.line else None for place in sweep.places]
        lines, before, arrived = sweep.lines, sweep.before, sweep.upstream
        added = [after[0] - self.left_over(sweep.start)]  # by each write
        walked = zip(sweep.outs, sweep.slots, sweep.receivers, strict=True)
        for edge, (out, slot, receiver) in enumerate(walked):
            was, from_ = before[edge], arrived[edge]
            there = after[was] if was >= 0 else self.left_over(receiver)
            if from_ < 0:
                upstream = self.left_over(out)
            elif sweep.by_path and from_ <= edge:
                upstream = added[from_]
            else:
                upstream = after[from_]
            place = places[lines[edge + 1]]
            added.append(after[edge + 1] - (0.0 if place in replacing else there))
            yield Wrote(
                start + edge + 2, nodes[out], shape.ops[out], slot, shape.alike[out][slot],
                nodes[receiver], upstream, self.local(out, slot), there, after[edge + 1],
                place, out, self,
            )  # fmt: skip


def made_of(recording: Recording, node: int) -> Iterator[int]:
    """Yield a node, and all nodes that it is computed from, each once."""
    waiting, seen = [node], {node}
    while waiting:
        yield (one := waiting.pop())
        operands = {*recording.operation(one)[1]} - seen
        waiting += operands
        seen |= operands


def unknown(number: float) -> bool:
    """Whether a true number is not known, or not finite: then nothing is held against it."""
    return not isfinite(number)
