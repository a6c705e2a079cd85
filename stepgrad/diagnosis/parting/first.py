"""Where two recordings part: the first event that is not the same in both (`first_difference`).

Blocks of the same shape are compared as columns, in C. Only where shapes differ, or where a
backward pass has other numbers, are single edges and events looked at.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from itertools import islice
from typing import Any

from stepgrad.engine.ops import OPS, Op
from stepgrad.recording.blocks import Backward, Block, Forward, Marked, Write
from stepgrad.recording.events import Event
from stepgrad.recording.foreign.sweep import ForeignBackward
from stepgrad.recording.recording import Recording
from stepgrad.recording.structure import Structure
from stepgrad.recording.sweep import Sweep
from stepgrad.replay.difference import alike

_USUAL = bytes(OPS[code].usual.code if code < len(OPS) else code for code in range(256))
"""For `bytes.translate`: a gate that does not work computes what others do."""


def first_difference(first: Recording, second: Recording) -> int | None:
    """Return the index of the first event that is not the same in both recordings, if there is one.

    Where one of them just goes on, that is the first event that the other lacks. Names, lines and
    the settings of optimizers do not count as long as all numbers are the same.
    """
    return _Walk(first, second).first()


@dataclass
class _Walk:
    """A walk over two recordings, as far as they are the same; it remembers equal shapes."""

    first_: Recording
    second: Recording
    _same: dict[tuple[int, int], bool] = field(default_factory=dict)

    def first(self) -> int | None:
        a, b = self.first_, self.second
        position = 0
        while position < min(a.length, b.length):
            x, y = (each.blocks[each.history.block_at(position)] for each in (a, b))
            at, count = self._compared(x, y, position)
            if at is not None and position + at < max(a.length, b.length):
                return position + at
            position += count
        return None if a.length == b.length else position

    def _compared(self, x: Block, y: Block, position: int) -> tuple[int | None, int]:
        """Return which event from a position on is the first to differ, of how many compared."""
        if x.start == y.start == position:
            match x, y:
                case Forward(), Forward():
                    return self._forward(x, y)
                case Backward(), Backward():
                    return self._backward(x, y), min(x.length, y.length)
                case Write(), Write():
                    return _written(x, y), min(x.length, y.length)
                case Marked(), Marked():
                    return None if (x.kind, x.number) == (y.kind, y.number) else 0, 1
            return 0, 1
        end = min(x.start + x.length, y.start + y.length)
        a, b = self.first_.events, self.second.events
        unlike = (i - position for i in range(position, end) if not same_event(a[i], b[i]))
        return next(unlike, None), end - position

    def _forward(self, x: Forward, y: Forward) -> tuple[int | None, int]:
        count = min(len(x.structure), len(y.structure))
        found = []
        if not self._alike(x, y):
            found += first_unlike(x.structure.codes.translate(_USUAL),
                                  y.structure.codes.translate(_USUAL), count)  # fmt: skip
            found += islice(_other_own(x.structure, y.structure), 1)
            found += islice(_other_operands(x, y), 1)
        for columns in ((x.values, y.values), (x.tangents, y.tangents)):
            if None not in columns:
                found += first_unlike(*columns, count)  # type: ignore[arg-type]
        if (x.tangents is None) != (y.tangents is None):
            found.append(0)
        created = x.structure.created
        # A constant has no event: it comes with what uses it.
        return (bisect_left(created, min(found)) if found else None), bisect_left(created, count)

    def _alike(self, x: Forward, y: Forward) -> bool:
        """Whether two passes make the same nodes of the same others."""
        same = x.base == y.base and self._same_structure(x.structure, y.structure)
        return same and [each.base for each in x.earlier] == [each.base for each in y.earlier]

    def _same_structure(self, a: Structure, b: Structure) -> bool:
        key = id(a), id(b)
        if key not in self._same:
            codes = a.codes.translate(_USUAL) == b.codes.translate(_USUAL)
            own = next(_other_own(a, b), None) is None
            self._same[key] = codes and own and a.refs == b.refs and a.outer == b.outer
        return self._same[key]

    def _same_sweep(self, a: Sweep, b: Sweep) -> bool:
        key = id(a), id(b)
        if key not in self._same:
            said = (a.way, b.way)
            pairs = zip(a.structures, b.structures, strict=False)
            structures = len(a.structures) == len(b.structures)
            self._same[key] = (
                structures and len({*said}) == 1 and all(self._same_structure(*p) for p in pairs)
            )
        return self._same[key]

    def _backward(self, x: Backward, y: Backward) -> int | None:
        if x.root != y.root:
            return 0
        over = [[each.base for each in block.over] for block in (x, y)]
        if not (self._same_sweep(x.sweep, y.sweep) and over[0] == over[1]):
            edges = min(x.sweep.edges, y.sweep.edges)
            other = next((i for i in range(edges) if edge_of(x, i) != edge_of(y, i)), edges)
            if other < max(x.sweep.edges, y.sweep.edges) or x.nodes != y.nodes:
                return self._first_edge(x, range(other), 1 + other)
        if self._other_rules or isinstance(x, ForeignBackward) or isinstance(y, ForeignBackward):
            return self._first_edge(x, range(x.sweep.edges), None)
        places = [*unlike(x.grads, y.grads, len(x.grads))]
        if not places:
            return None
        incoming = x.sweep.incoming
        walked = sorted(edge for place in places for edge in incoming[place])
        # On the machine that reads both, they may come out alike; then the gradient differs when
        # it is complete.
        return self._first_edge(
            x, walked, min((1 + incoming[p][-1] for p in places if incoming[p]), default=0)
        )

    @cached_property
    def _other_rules(self) -> bool:
        """Whether gradients that come out the same may have been other ones on the way."""
        worlds = (self.first_.world, self.second.world)
        return len({(w.overwrites, w.hasty) if w else (False, False) for w in worlds}) > 1

    def _first_edge(
        self, block: Backward, edges: Iterable[int], otherwise: int | None
    ) -> int | None:
        """Return the event of the first of some edges that passes another number."""
        for edge in edges:
            index = block.start + 1 + edge
            if not same_event(self.first_.events[index], self.second.events[index]):
                return 1 + edge
        return otherwise


def edge_of(block: Backward, edge: int) -> tuple[int, int, int]:
    """Return an edge of a pass: the node that hands on, the slot, and the one that receives."""
    return *block.edge(edge), block.node(block.sweep.receivers[edge])


def _other_own(a: Structure, b: Structure) -> Iterator[int]:
    """Yield the nodes that have different operations of the programs' own."""
    theirs = b.own_nodes
    for offset, op in a.own_nodes.items():
        if offset in theirs and theirs[offset].usual != op.usual:
            yield offset


def _other_operands(x: Forward, y: Forward) -> Iterator[int]:
    """Yield the offsets of the nodes that are made of other nodes, as far as codes are the same."""
    mine, others = x.nodes(x.structure.refs), y.nodes(y.structure.refs)
    for place, (a, b) in enumerate(zip(mine, others, strict=False)):
        if a != b:
            yield min(x.structure.owners[place], y.structure.owners[place])


def _written(x: Write, y: Write) -> int | None:
    count = min(x.length, y.length)
    pairs = (
        (x.writes.kinds, y.writes.kinds), (x.writes.nodes, y.writes.nodes), (x.after, y.after)
    )  # fmt: skip
    return min((at for a, b in pairs for at in first_unlike(a, b, count)), default=None)


def unlike(a: Sequence[Any], b: Sequence[Any], count: int) -> Iterator[int]:
    """Yield the places, of the first `count` of two columns, where the numbers are not alike."""
    a, b = a[:count], b[:count]
    if a != b:
        yield from (i for i, pair in enumerate(zip(a, b, strict=True)) if not alike(*pair))


def first_unlike(a: Sequence[Any], b: Sequence[Any], count: int) -> list[int]:
    """Return the first of these places, if there is one."""
    return [*islice(unlike(a, b, count), 1)]


def same_event(a: Event, b: Event) -> bool:
    """Whether two events are the same, apart from how it came to what was written, and where."""
    if type(a) is not type(b):
        return False
    pairs = ((getattr(a, each.name), getattr(b, each.name)) for each in fields(a)
             if each.name not in ("rule", "by_hand", "place"))  # fmt: skip
    return all(
        x.usual == y.usual if isinstance(x, Op) and isinstance(y, Op) else alike(x, y)
        for x, y in pairs
    )
