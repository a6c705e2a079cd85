"""The events of a recording, each derived from the columns when it is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

from stepgrad.printable import counted
from stepgrad.recording import events
from stepgrad.recording.blocks import Backward, Block, Forward, Marked, Write
from stepgrad.recording.events import Event
from stepgrad.recording.history import History
from stepgrad.recording.structure import ref_to_index


class Log(Sequence[Event]):
    """All events that have happened so far, as a read-only sequence that holds none of them."""

    def __init__(self, blocks: Sequence[Block], history: History, length: int) -> None:
        self._blocks = blocks
        self._history = history
        self._length = length

    def __len__(self) -> int:
        return self._length

    def __repr__(self) -> str:
        return f"<{counted(len(self), 'event')}>"

    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Event]: ...
    def __getitem__(self, index: int | slice) -> Event | Sequence[Event]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(f"event {index} of {len(self)}")
        index %= len(self)
        block = self._blocks[self._history.block_at(index)]
        offset = index - block.start
        match block:
            case Forward():
                return _made(block, offset)
            case Backward():
                return self._propagated(block, offset)
            case Write():
                return self._written(block, offset)
            case Marked():
                return events.Mark(block.kind, block.number)

    def _propagated(self, block: Backward, offset: int) -> Event:
        position = block.start + offset
        sweep = block.sweep
        if offset == 0:
            leaf = sweep.computed == 0
            before = self._history.grad(block.root, position) if leaf else None
            return events.Seed(block.root, before, (before or 0.0) + 1.0)
        edge = offset - 1
        node, out = (
            ref_to_index(sweep.refs[column], block.base)
            for column in (sweep.receivers[edge], sweep.outs[edge])
        )
        upstream, local, contribution = self._history.edge(block, edge)
        before = self._history.grad(node, position)
        after = (0.0 if before is None else before) + contribution
        slot = sweep.slots[edge]
        return events.Accumulate(node, out, slot, upstream, local, contribution, before, after)

    def _written(self, block: Write, offset: int) -> Event:
        position = block.start + offset
        node, after = block.writes.nodes[offset], block.after[offset]
        rule = block.rule.at(offset) if block.rule else None
        if block.writes.kinds[offset] == "update":
            value = self._history.value(node, position)
            assert value is not None, "only a node that exists can be written"
            return events.Update(node, value, after, rule)
        before = self._history.grad(node, position)
        if block.writes.kinds[offset] == "zero":
            return events.ZeroGrad(node, before)
        return events.SetGrad(node, before, after, rule)


def _made(block: Forward, offset: int) -> Event:
    structure = block.structure
    created = structure.created[offset]
    node, value = block.base + created, block.values[created]
    tangent = None if block.tangents is None else block.tangents[created]
    op = structure.op(created)
    if not op.partials:
        return events.Leaf(node, value, tangent)
    operands = (ref_to_index(ref, block.base) for ref in structure.operands(created))
    return events.Op(node, op, tuple(operands), value, tangent)
