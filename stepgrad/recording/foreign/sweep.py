"""A backward pass that the program runs itself: what its rules did, in their order, not in ours.

Such a pass may leave out an edge, walk one twice, or come to a node before all that use it. So its
edges are stored (`ForeignSweep`), and so is what each of them left in a gradient
(`ForeignBackward`), where those of our own passes are derived.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import overload

from stepgrad.engine.tape import Place
from stepgrad.recording.blocks import Backward, Column, Forward
from stepgrad.recording.sweep import Stretch, Sweep


@dataclass(frozen=True, eq=False, kw_only=True)
class ForeignSweep(Sweep):
    """A backward pass of the program's own: the edges that its rules walked, in that order.

    In its column, too, computed nodes come first, in the order in which they first pass a gradient
    on, then leaves. All gradients carry over from earlier passes: such an engine clears none.

    A node's gradient is written once by the seed, if it is the root, and once by each edge that
    ends there. All writes of a pass are numbered: 0 is the seed, and edge n is number n + 1. The
    gradients that the pass reads and never writes have the numbers after them.

    Args:
        rules: for each edge, the entry of the node whose rule it is.
        operand: for each edge, which operand of that node receives.
        places: the lines of rules.
        lines: for each write, which of these it was made at.
        by_path: whether a rule hands on what its node has just received, as a recursive
            `backward(upstream)` does, and not all that the node has received so far.
    """

    order: tuple[Stretch, ...] = ()
    rules: array[int]
    operand: array[int]
    places: tuple[Place, ...]
    lines: array[int]
    by_path: bool = False

    @property
    def way(self) -> tuple[object, ...]:
        """What tells it from other sweeps over the same structures."""
        return *super().way, self.rules.tobytes(), self.operand.tobytes(), self.by_path

    @cached_property
    def stretches(self) -> Sequence[Stretch]:
        """The nodes of the column."""
        computed = {(number, each) for number, offsets in self.order for each in offsets}
        received = {(self.begins, self.root), *self._ends}
        leaves: dict[int, list[int]] = {}
        for number, offset in sorted(received - computed, key=lambda at: (at[0], -at[1])):
            leaves.setdefault(number, []).append(offset)
        return [*self.order, *leaves.items()]

    @cached_property
    def _ends(self) -> list[tuple[int, int]]:
        """For each edge, the pass and the offset of the node that receives."""
        nodes = [(number, each) for number, offsets in self.order for each in offsets]
        operands = [self._operands(*node) for node in nodes]
        return [operands[out][slot] for out, slot in zip(self.rules, self.operand, strict=True)]

    @cached_property
    def _walk(self) -> tuple[array[int], Sequence[int], array[int]]:
        columns = self.columns
        receivers = array("q", [columns[number][offset] for number, offset in self._ends])
        return array("q", self.rules), self.operand, receivers

    @property
    def start(self) -> int:
        """The entry of the root."""
        return self.columns[self.begins][self.root]

    @property
    def lasting(self) -> int:
        """The first entry whose gradient adds to what earlier passes have left: all do."""
        return 0

    @cached_property
    def unwritten(self) -> Collection[int]:
        """The entries of the column whose gradients are read, and not written."""
        return sorted({*range(self.width)} - {self.start, *self.receivers})

    def begins_at(self, entry: int) -> bool:
        """Whether the seed writes a gradient: that of the root."""
        return entry == self.start

    def may_reach(self, number: int, offset: int) -> bool:
        """Whether a node of a forward pass takes part."""
        return offset in self.columns[number]

    def first_edge(self, ends: Sequence[tuple[int, int]]) -> int | None:
        """Return the first edge that hands on the gradient of one of some entries in a slot."""
        return min((self._first[end] for end in ends if end in self._first), default=None)

    @cached_property
    def _first(self) -> Mapping[tuple[int, int], int]:
        ends = [*zip(self.outs, self.slots, strict=True)]
        return {end: edge for edge, end in reversed([*enumerate(ends)])}

    @cached_property
    def _reads(self) -> tuple[array[int], array[int], array[int]]:
        """The writes before each edge, of its receiver and of its node; the last to each entry."""
        last = {self.start: 0}
        before, upstream = array("q"), array("q")
        for edge, (out, receiver) in enumerate(zip(self.outs, self.receivers, strict=True)):
            before.append(last.get(receiver, -1))
            upstream.append(last.get(out, -1))
            last[receiver] = edge + 1
        last.update(zip(self.unwritten, count(1 + self.edges)))
        return before, upstream, array("q", map(last.__getitem__, range(self.width)))

    @property
    def before(self) -> array[int]:
        """For each edge, the write before it to the gradient of its receiver; -1 for none."""
        return self._reads[0]

    @property
    def upstream(self) -> array[int]:
        """For each edge, the write before it to the gradient that it hands on; -1 for none."""
        return self._reads[1]

    @property
    def last(self) -> array[int]:
        """For each entry of the column, the last write to it."""
        return self._reads[2]

    @property
    def numbers(self) -> int:
        """How many numbers a pass has: one for each write, and for what is read and not written."""
        return 1 + self.edges + len(self.unwritten)

    def place(self, write: int) -> Place:
        """Return the line of a write."""
        return self.places[self.lines[write]]


class Last(Sequence[float]):
    """The final gradients of a pass, each the last of what was written to it."""

    __slots__ = ("_after", "_sweep")

    def __init__(self, after: Column, sweep: ForeignSweep) -> None:
        self._after = after
        self._sweep = sweep

    def __len__(self) -> int:
        return self._sweep.width

    @overload
    def __getitem__(self, index: int) -> float: ...
    @overload
    def __getitem__(self, index: slice) -> array[float]: ...
    def __getitem__(self, index: int | slice) -> float | array[float]:
        if isinstance(index, slice):
            return array("d", map(self._after[:].__getitem__, self._sweep.last[index]))
        return self._after[self._sweep.last[index]]

    def __iter__(self) -> Iterator[float]:
        return iter(self[:])


class ForeignBackward(Backward):
    """Gradients were computed by the program itself.

    `after` holds what each write left in a gradient, in the order of the sweep's numbers.
    """

    __slots__ = ("after",)

    sweep: ForeignSweep

    def __init__(
        self, start: int, sweep: ForeignSweep, over: tuple[Forward, ...], after: Column
    ) -> None:
        super().__init__(start, sweep, over, Last(after, sweep))
        self.after = after

    def left(self, entry: int, arrived: int) -> float:
        """Return what the seed or the first edges that end at a node left in its gradient."""
        return self.after[1 + self.sweep.incoming[entry][arrived - 1] if arrived else 0]

    def place(self, offset: int) -> Place:
        """Return the line at which the seed was written, or by which rule a contribution."""
        return self.sweep.place(offset)
