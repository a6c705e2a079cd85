"""The ledger of a gradient: what it received, from which node, and when."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple, overload

from stepgrad.recording.blocks import Backward, Block, Write
from stepgrad.recording.events import Accumulate
from stepgrad.recording.foreign.sweep import ForeignBackward
from stepgrad.recording.recording import Recording


class Contribution(NamedTuple):
    """What a gradient receives over one edge, from `out`, with the event before `position`.

    `amount` is `upstream · local`, or 0 where a gate is shut, whatever `upstream` is. It is what a
    rule of the program has passed on where that runs the pass; if that is wrong, `right` is right.
    Where the rule has put its contribution in the place of the sum so far (`=` for `+=`),
    `overwritten` is the gradient that it left, and the sum that is right.
    """

    position: int
    out: int
    slot: int
    upstream: float
    local: float
    amount: float
    right: float | None = None
    overwritten: tuple[float, float] | None = None

    @property
    def seen(self) -> tuple[float, float | None]:
        """The number to look at, and the right one if it is wrong: what was received, or left."""
        return self.overwritten or (self.amount, self.right)


def contributions(recording: Recording, node: int, position: int) -> Sequence[Contribution]:
    """Return what a node's gradient has received from the latest backward pass by a position.

    Empty where the gradient was written by hand since: that write replaced it.
    """
    block, count = _latest_write(recording, node, position)
    if not isinstance(block, Backward):
        return ()
    column = block.column(node)
    assert column is not None, "the pass has written it"
    edges = block.sweep.incoming[column]
    return _Contributions(recording, block, edges[:count])


def left_over(recording: Recording, node: int, position: int) -> float | None:
    """Return the gradient that the latest pass adds to; None if it is 0 or missing.

    If gradients are cleared before each pass, there is none.
    """
    block, _ = _latest_write(recording, node, position)
    column = block.column(node) if isinstance(block, Backward) else None
    if not isinstance(block, Backward) or column is None or column < block.sweep.lasting:
        return None
    found = recording.history.grad(node, block.start)
    # -0.0 is left over as well: it is what a sum of -0.0 alone begins with.
    return found if found or str(found) == "-0.0" else None


def _latest_write(
    recording: Recording, node: int, position: int
) -> tuple[Backward | Write | None, int]:
    """Return the block that last wrote a node's gradient, and the number of its writes so far."""
    return next(recording.history.gradient_writes(node, position), (None, 0))


def contribution(recording: Recording, block: Backward, edge: int) -> Contribution:
    """Return what a pass has passed on over an edge."""
    position = block.arrival(edge)
    told = Contribution(position, *block.edge(edge), *recording.history.edge(block, edge))
    if not isinstance(block, ForeignBackward):
        return told
    event = recording.events[position - 1]
    assert isinstance(event, Accumulate), "the edges of a pass follow its seed"
    overwritten = None if event.total is None else (event.after, event.total)
    return told._replace(right=event.right, overwritten=overwritten)


class _Contributions(Sequence[Contribution]):
    """The contributions over some edges, each worked out when looked at: there may be many."""

    def __init__(self, recording: Recording, block: Backward, edges: Sequence[int]) -> None:
        self._recording = recording
        self._block = block
        self._edges = edges

    def __len__(self) -> int:
        return len(self._edges)

    @overload
    def __getitem__(self, number: int) -> Contribution: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[Contribution]: ...
    def __getitem__(self, number: int | slice) -> Contribution | Sequence[Contribution]:
        block = self._block
        if isinstance(number, slice):
            return _Contributions(self._recording, block, self._edges[number])
        return contribution(self._recording, block, self._edges[number])


def written_over(recording: Recording, node: int, position: int) -> int | None:
    """Return the index of the event that wrote a node's gradient, if it was not a backward pass.

    The gradient was cleared, clipped or set by hand; None if a pass has reached it since.
    """
    block, count = _latest_write(recording, node, position)
    if not isinstance(block, Write):
        return None
    return block.start + block.writes.gradients[node][count - 1]


def latest_pass(recording: Recording, position: int) -> Backward | None:
    """Return the last backward pass that has begun by a position."""
    here = recording.history.block_at(position - 1) if position else -1
    for number in range(here, -1, -1):
        block = recording.blocks[number]
        if isinstance(block, Backward):
            return block
    return None


def arrived(recording: Recording, node: int, bounds: tuple[int, int]) -> int | None:
    """Return the position between two at which a node's gradient is complete.

    That is where the last pass is done with it or, without one, the last write; None without that.
    """
    start, end = bounds
    block = latest_pass(recording, end)
    if block is not None and block.start >= start and block.column(node) is not None:
        end = min(end, block.start + block.length)
    index = last_write(recording, node, end)
    return None if index is None or index < start else index + 1


def last_write(recording: Recording, node: int, before: int) -> int | None:
    """Return the index of the last event before event `before` that wrote a node's gradient.

    That is a contribution, a seed, or a write by hand; None where there is none.
    """
    for block, count in recording.history.gradient_writes(node, before):
        if isinstance(block, Write):
            return block.start + block.writes.gradients[node][count - 1]
        if count:
            column = block.column(node)
            assert column is not None, "the pass has written it"
            return block.start + 1 + block.sweep.incoming[column][count - 1]
        if node == block.root:
            return block.start
    return None


def next_write(recording: Recording, node: int, start: int) -> int | None:
    """Return the index of the first event from `start` on that writes a node's gradient."""
    here = recording.history.block_at(start)
    for block in recording.blocks[max(here, 0) :]:
        offsets = _writes(block, node)
        at = bisect_left(offsets, start - block.start)
        if at < len(offsets):
            return block.start + offsets[at]
    return None


def _writes(block: Block, node: int) -> Sequence[int]:
    """Return which events of a block write a node's gradient."""
    match block:
        case Backward():
            column = block.column(node)
            edges = [] if column is None else [e + 1 for e in block.sweep.incoming[column]]
            return [0, *edges] if node == block.root else edges
        case Write():
            return block.writes.gradients.get(node, ())
    return ()


def walk(block: Backward, out: int, slot: int) -> int | None:
    """Return the position just after a pass walked an edge; None if it does not walk it."""
    return first_walk(block, [(out, slot)])


def first_walk(block: Backward, edges: Sequence[tuple[int, int]]) -> int | None:
    """Return the position just after a pass walked the first of some edges; None if it does not.

    Each edge is a node and a slot; those of one node come in the order of their slots.
    """
    entries = block.columns([out for out, _ in edges])
    ends = zip(entries, (slot for _, slot in edges), strict=True)
    edge = block.sweep.first_edge([(entry, slot) for entry, slot in ends if entry is not None])
    return None if edge is None else block.arrival(edge)
