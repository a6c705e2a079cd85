"""The gradients of many nodes in a few numbers, without looking at every node at every position.

Which gradients each event of a backward pass completes is worked out once for a scope and a pass;
a position is then found by bisection.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, count
from math import inf, isnan, nextafter
from typing import NamedTuple

from stepgrad.numbers import number
from stepgrad.recording.blocks import Backward, Forward, Write
from stepgrad.recording.kept import kept
from stepgrad.recording.recording import Recording
from stepgrad.recording.sweep import Sweep
from stepgrad.recording.writes import Writes
from stepgrad.replay.graph.outline import ScopeLine
from stepgrad.replay.state import State

KEPT = 512
"""The number of scopes to cache: more than a graph has boxes."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The gradients of some nodes at a position, in a few numbers.

    Only complete gradients count: in the middle of a backward pass, a gradient that will receive
    more contributions does not. `low` and `high` are the smallest and the largest magnitude;
    without any gradient they are ∞ and −∞.

    Args:
        complete: the number of nodes with a complete gradient.
        low: the smallest magnitude, nan aside.
        high: the largest.
        zeros: the number of gradients that are exactly zero.
        broken: the number of gradients that are nan.
    """

    complete: int = 0
    low: float = inf
    high: float = -inf
    zeros: int = 0
    broken: int = 0

    @classmethod
    def of(cls, grads: Iterable[float]) -> Summary:
        """Sum up some gradients."""
        sizes = [abs(grad) for grad in grads]
        numbers = [size for size in sizes if size == size]
        return cls(
            len(sizes),
            min(numbers, default=inf),
            max(numbers, default=-inf),
            numbers.count(0),
            len(sizes) - len(numbers),
        )

    def __add__(self, other: Summary) -> Summary:
        return Summary(
            self.complete + other.complete,
            min(self.low, other.low),
            max(self.high, other.high),
            self.zeros + other.zeros,
            self.broken + other.broken,
        )


def summary(state: State, line: ScopeLine) -> Summary:
    """Sum up the gradients of a folded scope."""
    recording, begin = state.recording, state.step_bounds[0]
    position = _settled(recording, line, state.position)
    if not position:
        return Summary()
    which = recording.history.block_at(position - 1)
    block = recording.blocks[which]
    if isinstance(block, Backward):
        return _progress(recording, line, which, begin).at(position - block.start)
    return _standing(recording, line, position, begin)


def never_reached(state: State, line: ScopeLine) -> int:
    """Count the nodes of a folded scope that no backward pass ever reaches, once one is over."""
    begin, end = state.step_bounds
    unreached = _unreached(state.recording, line, begin, end)
    return len(unreached) if unreached and state.never_reached(unreached[0]) else 0


def shares(state: State, line: ScopeLine, known: Summary) -> str:
    """The shares of its gradients that are nan, exactly 0 or never reached; empty if none are."""
    told = (("!nan", known.broken), ("0", known.zeros), ("∅", never_reached(state, line)))
    return " ".join(f"{glyph} {_percent(part, len(line.nodes))}" for glyph, part in told if part)


def span(known: Summary) -> str:
    """From the smallest magnitude to the largest; empty without gradients."""
    if known.low > known.high:
        return ""
    low, high = _brief(known.low), _brief(known.high)
    return high if low == high else f"{low}…{high}"


def _brief(size: float) -> str:
    """A magnitude with two digits, or with one if it needs an exponent."""
    if size == 0 or 1e-3 <= size < 1e5 or size == inf:
        return number(nextafter(size, size * inf), 2) if size else "0"  # halves go up
    mantissa, exponent = f"{size:.0e}".split("e")
    return f"{mantissa}e{int(exponent)}".replace("-", "−")


def _percent(part: int, whole: int) -> str:
    """A share as a percentage; only the whole is 100%, and only nothing is 0%."""
    return f"{min(max(round(100 * part / whole), 1), 99 if part < whole else 100)}%"


class _Progress(NamedTuple):
    """What a pass completes, one gradient after the other.

    `times` are the numbers of events after which another gradient is complete, ascending. `sums`
    are the summaries by then: a column for each of their numbers. `outside` sums up the nodes that
    the pass does not reach.
    """

    times: Sequence[int]
    sums: Sequence[Sequence[float]]
    outside: Summary

    def at(self, done: int) -> Summary:
        """Sum up what is complete after the first `done` events of the pass."""
        complete = bisect_right(self.times, done)
        if not complete:
            return self.outside
        low, high, zeros, broken = (column[complete - 1] for column in self.sums)
        return self.outside + Summary(complete, low, high, int(zeros), int(broken))


@kept(KEPT)
def _progress(recording: Recording, line: ScopeLine, which: int, begin: int) -> _Progress:
    block = recording.blocks[which]
    assert isinstance(block, Backward), "asked of one"
    completed = _completed(block.sweep)
    reached, outside = _split(line.nodes, block)
    reached.sort(key=completed.__getitem__)
    sizes = [abs(block.grads[place]) for place in reached]
    return _Progress(
        [completed[place] for place in reached],
        (
            list(accumulate((size if size == size else inf for size in sizes), min)),
            list(accumulate((size if size == size else -inf for size in sizes), max)),
            list(accumulate(map((0.0).__eq__, sizes))),
            list(accumulate(map(isnan, sizes))),
        ),
        Summary.of(_grads(recording, outside, block.start, begin)),
    )


@kept(1)
def _completed(sweep: Sweep) -> Mapping[int, int]:
    """For each place of a sweep's column, the number of events after which it is complete."""
    # The last edge that ends at a place counts; none ends at the root.
    return {sweep.start: 1, **dict(zip(sweep.receivers, count(2)))}


@kept(KEPT)
def _standing(recording: Recording, line: ScopeLine, position: int, begin: int) -> Summary:
    return Summary.of(_grads(recording, line.nodes, position, begin))


def _settled(recording: Recording, line: ScopeLine, position: int) -> int:
    """Return the first position from which on the gradients of a scope stay as they are."""
    while position:
        block = recording.blocks[recording.history.block_at(position - 1)]
        if isinstance(block, Backward) or (isinstance(block, Write) and _meets(block.writes, line)):
            break
        position = block.start
    return position


@kept(KEPT)
def _meets(writes: Writes, line: ScopeLine) -> bool:
    return not writes.gradients.keys().isdisjoint(line.nodes)


def _grads(
    recording: Recording, nodes: Sequence[int], position: int, begin: int
) -> Sequence[float]:
    """Return the gradients at a position that is not in the middle of a pass.

    The search goes backwards, block by block, to position `begin`; older gradients are looked up
    node by node.
    """
    found: list[float] = []
    end = position
    while nodes and end > begin:
        block = recording.blocks[recording.history.block_at(end - 1)]
        match block:
            case Forward():  # its nodes had no gradient before
                nodes = nodes[: bisect_left(nodes, block.base)]
            case Backward():
                reached, nodes = _split(nodes, block)
                found += map(block.grads.__getitem__, reached)
            case Write():
                written = {node: _written(block, node, end) for node in nodes}
                found += (grad for grad in written.values() if grad is not None)
                nodes = [node for node, grad in written.items() if grad is None]
        end = block.start
    older = (recording.history.grad(node, end) for node in nodes)
    return [*found, *(grad for grad in older if grad is not None)]


def _split(nodes: Sequence[int], block: Backward) -> tuple[list[int], list[int]]:
    """Return the places of the nodes that a pass reaches, and the nodes that it does not."""
    unwritten = block.sweep.unwritten
    places = [None if place in unwritten else place for place in block.columns(nodes)]
    reached = [place for place in places if place is not None]
    return reached, [node for node, place in zip(nodes, places, strict=True) if place is None]


def _written(block: Write, node: int, end: int) -> float | None:
    """Return the last number written to a gradient by a position; None if there is none."""
    places = block.writes.gradients.get(node, ())
    before = bisect_left(places, end - block.start)
    return block.after[places[before - 1]] if before else None


@kept(KEPT)
def _unreached(recording: Recording, line: ScopeLine, begin: int, end: int) -> Sequence[int]:
    """Return the nodes that no pass ever reaches, constants left out."""
    nodes = line.nodes
    for block in recording.blocks_between(begin, end):
        if isinstance(block, Backward):
            _, nodes = _split(nodes, block)
    return [
        node
        for node in nodes
        if recording.history.grad(node, recording.length) is None
        and not recording.is_constant(node)
    ]
