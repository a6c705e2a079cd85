"""The facts about backward passes, in columns: ours, and those that a program runs itself."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import chain
from math import isfinite

from stepgrad.engine.world import added
from stepgrad.recording.blocks import Backward, Forward
from stepgrad.recording.events import Accumulate
from stepgrad.recording.foreign import derived
from stepgrad.recording.foreign.sweep import ForeignBackward
from stepgrad.replay.stops.bad import bad_edges, is_finite
from stepgrad.replay.stops.columns import UNKNOWN, Column, Facts, Same, picked
from stepgrad.replay.stops.edges import Edges, edges_of
from stepgrad.replay.telling.titles import full_names, names, short_title, titles


class Seeding(Facts[Backward]):
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
                return Same(self._after)
        return UNKNOWN

    @property
    def _after(self) -> float:
        return (self._before or 0.0) + 1.0

    @property
    def _before(self) -> float | None:
        """Nothing, unless the root is a leaf: a computed node is cleared by the seed."""
        if self._block.sweep.computed:
            return None
        return self._recording.history.grad(self._block.root, self._block.start)


class Propagating(Facts[Backward]):
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
        over = self._block.over
        return [over[number].base + offset for number, offset in self._edges.outer]

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


class SeedingByHand(Seeding):
    """A program's own backward pass starts: from any number."""

    _block: ForeignBackward

    @property
    def _before(self) -> float | None:
        return self._recording.history.grad(self._block.root, self._block.start)

    @property
    def _after(self) -> float:
        return self._block.after[0]


class Received(Propagating):
    """The edges of a program's own backward pass: what its rules wrote, right or wrong."""

    _block: ForeignBackward

    @cached_property
    def _upstreams(self) -> list[float]:
        history, block = self._recording.history, self._block
        return [derived.upstream(history, block, edge) for edge in range(block.sweep.edges)]

    @cached_property
    def _contributions(self) -> list[float]:
        history, block = self._recording.history, self._block
        return [derived.change(history, block, edge + 1) for edge in range(block.sweep.edges)]

    @cached_property
    def _sums(self) -> tuple[list[float | None], list[float]]:
        history, block = self._recording.history, self._block
        sweep, after = block.sweep, [*block.after]
        before = [
            after[write] if write >= 0 else history.grad(block.node(receiver), block.start)
            for write, receiver in zip(sweep.before, sweep.receivers, strict=True)
        ]
        return before, after[1 : 1 + sweep.edges]

    @property
    def _wrong(self) -> Column:
        events = (self._recording.events[self._block.start + offset] for offset in self.offsets)
        return [isinstance(each, Accumulate) and each.right is not None for each in events]
