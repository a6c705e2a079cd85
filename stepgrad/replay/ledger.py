"""The ledger of a gradient: what was paid in, by whom, and when."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from stepgrad.recording.blocks import Backward
from stepgrad.recording.recording import Recording
from stepgrad.recording.structure import index_to_ref


@dataclass(frozen=True, slots=True)
class Contribution:
    """One payment: `upstream · local` from `out`, made by the event before `position`."""

    position: int
    out: int
    slot: int
    upstream: float
    local: float

    @property
    def amount(self) -> float:
        """What was added to the gradient."""
        return self.upstream * self.local


def contributions(recording: Recording, node: int, position: int) -> Iterator[Contribution]:
    """Yield what the latest backward pass has paid into a node's gradient by a position.

    Nothing where the gradient was written over since: what was paid in is gone.
    """
    block = next(recording.history.gradient_writers(node, position), None)
    if not isinstance(block, Backward):
        return
    for edge in block.sweep.incoming[block.sweep.column[index_to_ref(node, block.base)]]:
        made = block.start + edge + 2
        if made <= position:
            yield Contribution(made, *block.edge(edge), *recording.history.edge(block, edge))


def latest_pass(recording: Recording, position: int) -> Backward | None:
    """Return the last backward pass that has begun by a position."""
    here = recording.history.block_at(position - 1) if position else -1
    for number in range(here, -1, -1):
        block = recording.blocks[number]
        if isinstance(block, Backward):
            return block
    return None


def last_write(recording: Recording, node: int, before: int) -> int | None:
    """Return the index of the last event before event `before` that wrote a node's gradient.

    That is a contribution, a seed, or a write by hand; None where there is none.
    """
    for block in recording.history.gradient_writers(node, before):
        done = before - block.start
        if isinstance(block, Backward):
            sweep = block.sweep
            column = sweep.column[index_to_ref(node, block.base)]
            # One look through the edges: in a big pass, an index of them all would take longer.
            for edge in reversed(range(min(done - 1, len(sweep.receivers)))):
                if sweep.receivers[edge] == column:
                    return block.start + 1 + edge
            if node == block.root:
                return block.start
        else:
            places = block.writes.gradients[node]
            if earlier := bisect_left(places, done):
                return block.start + places[earlier - 1]
    return None
