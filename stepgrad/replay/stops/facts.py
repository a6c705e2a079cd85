"""The facts about the events of a block, in columns: one for each name that a condition uses.

A condition is tested for every event of a recording. With whole columns, no event need be derived,
and where their numbers are is worked out once for all passes of a shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import chain
from math import isfinite
from typing import Any, Generic, TypeVar

from stepgrad.engine.tape import WriteKind
from stepgrad.engine.world import added
from stepgrad.recording.blocks import Backward, Block, Forward, Marked, Write
from stepgrad.recording.kept import kept
from stepgrad.recording.recording import Recording
from stepgrad.recording.structure import Structure
from stepgrad.recording.writes import Writes
from stepgrad.replay.stops.bad import bad_edges, bad_nodes, bad_writes, is_finite
from stepgrad.replay.stops.columns import UNKNOWN, Column, Same, picked
from stepgrad.replay.stops.edges import Edges, edges_of
from stepgrad.replay.telling.titles import full_names, names, short_title, titles

TEXTS = ("node", "op", "out", "phase")
COMPUTED = ("after", "bad", "before", "contribution", "grad", "local")
NAMES = (*TEXTS, *COMPUTED, "position", "tangent", "upstream", "value")
WORDS = {"node": "name of node", "out": "name of out"}
"""Columns of names without scopes; the name of a nameless node is empty."""

FULL_NAMES = {"node": "full name of node", "out": "full name of out"}
"""Columns of names with their scopes; the name of a nameless node is empty."""

_B = TypeVar("_B", bound=Block)


class Facts(Generic[_B]):
    """What is known about the events of one kind in a block, in columns by name.

    `offsets` are the events, counted from the start of the block.
    """

    def __init__(self, recording: Recording, block: _B, offsets: Sequence[int]) -> None:
        self.offsets = offsets
        self._recording = recording
        self._block = block

    def __getitem__(self, name: str) -> Column:
        if name == "position":
            return [self._block.start + offset + 1 for offset in self.offsets]
        return self._column(name)

    def _column(self, name: str) -> Column:
        """Return a column; unknown, unless the events have something of this name."""
        raise NotImplementedError


def facts_of(recording: Recording, block: Block) -> Sequence[Facts[Any]]:
    """Return the facts of a block, for each kind of event in it."""
    match block:
        case Forward():
            return [_Making(recording, block, range(block.length))]
        case Backward():
            edges = range(1, block.length)
            return [_Seeding(recording, block, range(1)), _Propagating(recording, block, edges)]
        case Write():
            return [_Writing(recording, block, offsets) for offsets in _by_kind(block.writes)]
        case Marked():
            return [_Beginning(recording, block, range(1))]


class _Beginning(Facts[Marked]):
    """A mark."""

    def _column(self, name: str) -> Column:
        return {"phase": Same("mark"), "bad": Same(False)}.get(name, UNKNOWN)


class _Making(Facts[Forward]):
    """Nodes are made."""

    def _column(self, name: str) -> Column:
        block, created = self._block, self._block.structure.created
        match name:
            case "phase":
                return Same("forward")
            case "node":
                return picked(titles(self._recording, block), created)
            case "name of node":
                return picked(names(self._recording, block), created)
            case "op":
                return _ops(block.structure)
            case "value":
                return picked(block.values, created)
            case "tangent" if block.tangents is not None:
                return picked(block.tangents, created)
            case "full name of node":
                return picked(full_names(self._recording, block), created)
            case "bad":
                return bad_nodes(self._recording, block)
        return UNKNOWN


class _Seeding(Facts[Backward]):
    """A backward pass starts."""

    def _column(self, name: str) -> Column:
        recording, block = self._recording, self._block
        match name:
            case "phase":
                return Same("backward")
            case "node" | "name of node":
                return Same(short_title(recording, block.root))
            case "full name of node":
                return Same(recording.node(block.root).name or "")
            case "bad":
                return Same(False)  # the sum of 1 and what was there is as finite as that
            case "op":
                return Same(recording.node(block.root).op.name)
            case "value":
                return Same(recording.history.value(block.root, block.start))
            case "before":
                return Same(self._before)
            case "after" | "grad":
                return Same((self._before or 0.0) + 1.0)
        return UNKNOWN

    @property
    def _before(self) -> float | None:
        """Nothing, unless the root is a leaf: a computed node is cleared by the seed."""
        if self._block.sweep.computed:
            return None
        return self._recording.history.grad(self._block.root, self._block.start)


class _Propagating(Facts[Backward]):
    """The edges of a backward pass."""

    def _column(self, name: str) -> Column:
        called, _, end = name.rpartition(" of ")
        match end:
            case "node":
                return picked(self._names(called), self._edges.receivers)
            case "out":
                return picked(self._names(called), self._edges.outs)
        match name:
            case "phase":
                return Same("backward")
            case "op":
                return self._edges.ops
            case "value":
                return picked(self._values, self._edges.receivers)
            case "upstream":
                return self._upstreams
            case "local":
                return self._locals
            case "contribution":
                return self._contributions
            case "before":
                return self._sums[0]
            case "after" | "grad":
                return self._sums[1]
            case "bad":
                return self._bad
        return UNKNOWN

    @property
    def _forwards(self) -> Iterator[Forward]:
        return map(self._block.over.__getitem__, self._block.sweep.swept)

    @cached_property
    def _edges(self) -> Edges:
        return edges_of(self._block.sweep)

    @property
    def _outer(self) -> list[int]:
        return [self._block.over[n].base + offset for n, offset in self._edges.outer]

    def _names(self, called: str) -> list[str]:
        """What nodes are called, in the row of the edges: by title, by `name` or by `full name`."""
        of = {"": titles, "name": names, "full name": full_names}[called]
        if called == "full name":
            outer = [self._recording.node(node).name or "" for node in self._outer]
        else:
            outer = [short_title(self._recording, node) for node in self._outer]
        own = (of(self._recording, forward) for forward in self._forwards)
        stored = [""] * sum(len(forward.stored) for forward in self._forwards)
        return [*chain.from_iterable(own), *stored, *outer]

    @cached_property
    def _values(self) -> list[float | None]:
        history, start = self._recording.history, self._block.start
        outer = (history.value(node, start) for node in self._outer)
        own = (history.values(forward, start) for forward in self._forwards)
        return [*chain(*own, *(forward.stored for forward in self._forwards)), *outer]

    @property
    def _bad(self) -> Column:
        usual = self._recording.world is None
        if usual and all(map(isfinite, self._block.grads)):  # anything bad would show in these
            return Same(False)
        picks = [pick for _, pick in self._edges.locals]
        return bad_edges(
            [all(map(is_finite, pick(self._values))) for pick in picks],
            (self._upstreams, self._locals, self._contributions, *self._sums),
        )

    @cached_property
    def _upstreams(self) -> list[float]:
        return picked(self._recording.history.upstreams(self._block), self._block.sweep.outs)

    @cached_property
    def _locals(self) -> list[float]:
        values = self._values
        return [local(*pick(values)) for local, pick in self._edges.locals]

    @cached_property
    def _contributions(self) -> list[float]:
        values, edges = self._values, self._edges
        carried = zip(edges.carries, edges.locals, self._upstreams, strict=True)
        return [carry(*pick(values), upstream) for carry, (_, pick), upstream in carried]

    @cached_property
    def _sums(self) -> tuple[list[float | None], list[float]]:
        """Each gradient before and after its events, added up in the order of the pass."""
        block, sweep, history = self._block, self._block.sweep, self._recording.history
        sums: list[float | None] = [None] * sweep.computed
        sums += [history.grad(node, block.start) for node in block.nodes[sweep.computed :]]
        before, after = [], []
        for receiver, contribution in zip(sweep.receivers, self._contributions, strict=True):
            old = sums[receiver]
            sums[receiver] = new = added(history.world, old, contribution)
            before.append(old)
            after.append(new)
        return before, after


class _Writing(Facts[Write]):
    """Values are written, or gradients."""

    @property
    def _kind(self) -> WriteKind:
        return self._block.writes.kinds[self.offsets[0]]

    @property
    def _updates(self) -> bool:
        return self._kind == "update"

    @property
    def _nodes(self) -> list[int]:
        return picked(self._block.writes.nodes, self.offsets)

    def _column(self, name: str) -> Column:
        recording, history = self._recording, self._recording.history
        match name:
            case "phase":
                return Same(self._kind)  # phases have the names of kinds
            case "node" | "name of node":
                return [short_title(recording, node) for node in self._nodes]
            case "op":
                return [recording.node(node).op.name for node in self._nodes]
            case "before":
                return self._asked(history.value if self._updates else history.grad, 0)
            case "value" if not self._updates:
                return self._asked(history.value, 1)
            case "after" | "value":
                return picked(self._block.after, self.offsets)
            case "grad" if not self._updates:
                return picked(self._block.after, self.offsets)
            case "full name of node":
                return [recording.node(node).name or "" for node in self._nodes]
            case "bad":
                return self._bad
        return UNKNOWN

    @property
    def _bad(self) -> Column:
        history = self._recording.history
        used = (history.value, history.grad) if self._updates else (history.grad,)
        after = picked(self._block.after, self.offsets)
        return bad_writes(after, [self._asked(ask, 0) for ask in used])

    def _asked(self, ask: Callable[[int, int], float | None], later: int) -> list[float | None]:
        """Ask something of each node, where it is written, or some events later."""
        first = self._block.start + later
        return [ask(n, first + i) for n, i in zip(self._nodes, self.offsets, strict=True)]


@kept(1)
def _by_kind(writes: Writes) -> Sequence[Sequence[int]]:
    """Return which writes are of each kind."""
    kinds = dict.fromkeys(writes.kinds)
    return [[i for i, each in enumerate(writes.kinds) if each == kind] for kind in kinds]


@kept(1)
def _ops(structure: Structure) -> Sequence[str]:
    return [structure.op(offset).name for offset in structure.created]
