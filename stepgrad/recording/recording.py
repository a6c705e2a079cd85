"""`Recording`: the log of a program, as nodes and as events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import overload

from stepgrad.engine.ops import CONSTANT, Op
from stepgrad.engine.tape import Place
from stepgrad.recording import events
from stepgrad.recording.blocks import Backward, Block, Forward, Marked, Write
from stepgrad.recording.events import Event
from stepgrad.recording.history import History
from stepgrad.recording.structure import Structure, ref_to_index


@dataclass(frozen=True, slots=True)
class Source:
    """The text that a recording was made from, to show beside it."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the computation: what never changes about it.

    `operands` are indices of nodes; `name` is the user's label, scopes included, or None.
    """

    index: int
    op: Op
    operands: tuple[int, ...]
    name: str | None
    place: Place

    @property
    def constant(self) -> bool:
        """Whether this is a plain number in the program: it has no gradient and no event."""
        return self.op is CONSTANT


class Recording:
    """What a program did, event by event.

    `stepgrad.record()` makes one. It may be read while it is still growing. `history` answers what
    a value or a gradient was at any position; `replay.State` does it by name.
    """

    def __init__(self, title: str = "", source: Source | None = None) -> None:
        self.title = title
        self.source = source
        self.blocks: list[Block] = []
        self.history = History(self.blocks)
        self._names: dict[int, str] = {}  # labels that were given after the node was logged
        self._settle: Callable[[], None] = lambda: None
        self._size = 0
        self._steps: tuple[int, list[int]] = (0, [])

    @property
    def events(self) -> Sequence[Event]:
        """Every event, derived when it is looked at."""
        self.settle()
        return _Events(self)

    @property
    def length(self) -> int:
        """How many events there are."""
        if not self.blocks:
            return 0
        return self.blocks[-1].start + self.blocks[-1].length

    @property
    def size(self) -> int:
        """How many nodes there are, constants included."""
        return self._size

    def node(self, index: int) -> Node:
        """Return a node by its index.

        Raises:
            IndexError: there is no such node.
        """
        if not 0 <= index < self.size:
            raise IndexError(f"node {index} of {self.size}")
        forward = self.history.forward_of(index)
        structure, offset = forward.structure, index - forward.base
        return Node(
            index,
            structure.op(offset),
            tuple(ref_to_index(ref, forward.base) for ref in structure.operands(offset)),
            self._names.get(index) or structure.names.get(offset),
            structure.place(offset),
        )

    def names(self, position: int) -> dict[str, int]:
        """Return the nodes made by a position, by name: of several so named, the latest."""
        names: dict[str, int] = {}
        complete: set[Structure] = set()
        for block in reversed(self.blocks):
            if not isinstance(block, Forward) or block.structure in complete:
                continue
            if block.start + block.length <= position:
                complete.add(block.structure)
            for offset in reversed(block.structure.names):
                node = block.base + offset
                if self.history.made_at(node) <= position:
                    names.setdefault(self.node(node).name or "", node)
        late = {name: node for node, name in self._names.items()}
        names |= {name: node for name, node in late.items() if node > names.get(name, -1)}
        by_node = sorted(names.items(), key=lambda item: item[1])
        return {name: node for name, node in by_node if self.history.made_at(node) <= position}

    def first_named(self, name: str) -> int:
        """Return the first node of this name.

        Raises:
            StopIteration: there is none.
        """
        for block in self.blocks:
            if isinstance(block, Forward):
                for offset, label in block.structure.names.items():
                    if self._names.get(block.base + offset, label) == name:
                        return block.base + offset
        return next(node for node, label in self._names.items() if label == name)

    @property
    def steps(self) -> list[int]:
        """The positions at which training steps begin.

        Those are the marks of kind `step`; without any, each forward pass that follows a backward
        pass or a write begins one.
        """
        if self._steps[0] != len(self.blocks):
            marks = [b.start for b in self.blocks if isinstance(b, Marked) and b.kind == "step"]
            passes = [
                block.start
                for before, block in pairwise([None, *self.blocks])
                if isinstance(block, Forward) and not isinstance(before, Forward | Marked)
            ]
            self._steps = len(self.blocks), marks or passes
        return self._steps[1]

    def add(self, block: Block) -> None:
        """Append a block (for the recorder and for readers of files)."""
        self.blocks.append(block)
        if isinstance(block, Forward):
            self._size += len(block.structure)

    def rename(self, node: int, name: str) -> None:
        """Give a node that is in the log already a name."""
        self._names[node] = name

    def follow(self, settle: Callable[[], None]) -> None:
        """Before the log is read, call `settle`, so that what is pending gets into it."""
        self._settle = settle

    def settle(self) -> None:
        """Take in what the running program has done up to now."""
        self._settle()


class _Events(Sequence[Event]):
    """The events of a recording, as a read-only sequence that holds none of them."""

    def __init__(self, recording: Recording) -> None:
        self._blocks = recording.blocks
        self._history = recording.history
        self._length = recording.length

    def __len__(self) -> int:
        return self._length

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
        upstream, local = self._history.edge(block, edge)
        before = self._history.grad(node, position)
        after = (before or 0.0) + upstream * local
        slot = sweep.slots[edge]
        return events.Accumulate(
            node, out, slot, upstream, local, upstream * local, before, after
        )

    def _written(self, block: Write, offset: int) -> Event:
        position = block.start + offset
        node, after = block.writes.nodes[offset], block.after[offset]
        if block.writes.kinds[offset] == "update":
            value = self._history.value(node, position)
            assert value is not None, "only a node that exists can be written"
            return events.Update(node, value, after, block.rule)
        before = self._history.grad(node, position)
        if block.writes.kinds[offset] == "zero":
            return events.ZeroGrad(node, before)
        return events.SetGrad(node, before, after)


def _made(block: Forward, offset: int) -> Event:
    structure = block.structure
    created = structure.created[offset]
    node, value = block.base + created, block.values[created]
    op = structure.op(created)
    if not op.partials:
        return events.Leaf(node, value)
    operands = (ref_to_index(ref, block.base) for ref in structure.operands(created))
    return events.Op(node, op, tuple(operands), value)
