"""`Recording`: the log of a program, as nodes and as events."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from stepgrad.engine.ops import CONSTANT, Op
from stepgrad.engine.tape import Place
from stepgrad.recording.blocks import Block, Forward, Marked
from stepgrad.recording.history import History
from stepgrad.recording.structure import Structure, ref_to_index

if TYPE_CHECKING:
    from stepgrad.recording.events import Event


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
        # Who records and never reads, as a training script does, is spared the import.
        from stepgrad.recording.log import Log  # noqa: PLC0415

        self.settle()
        return Log(self)

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

    def blocks_between(self, begin: int, end: int) -> Sequence[Block]:
        """Return the blocks that start at a position from `begin` up to, not including, `end`."""
        first = bisect_left(self.blocks, begin, key=lambda block: block.start)
        return self.blocks[first : bisect_left(self.blocks, end, key=lambda block: block.start)]

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
