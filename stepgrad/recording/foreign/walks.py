"""From what the rules of a program wrote, one by one, to the block of a backward pass (`Walks`)."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, count, repeat
from operator import attrgetter
from typing import NamedTuple, get_args

from stepgrad.engine.node import Node
from stepgrad.engine.tape import Place
from stepgrad.recording.blocks import Forward, packed
from stepgrad.recording.foreign.sweep import ForeignBackward, ForeignSweep
from stepgrad.recording.kept import Recent
from stepgrad.recording.known import Known, same_values
from stepgrad.recording.naming.sites import Spot
from stepgrad.recording.structure import Structure
from stepgrad.recording.sweep import Stretch, stretched
from stepgrad.recording.template import Made

_stamp = attrgetter("_stamp")

Walked = tuple[Node, int, Node, float, Spot | None]
"""A write of a rule: its node, which operand receives, that operand, what was left, and the line.

The first of a pass is its seed: there, both nodes are the root.
"""

WIDTH = len(get_args(Walked))
"""How many things are noted of each write."""


class Walk(NamedTuple):
    """A backward pass that a program has run: the parts of its `Walked`, each of all writes.

    `ForeignSweep.by_path` says whether each rule hands on its path.
    """

    outs: Sequence[Node]
    slots: Sequence[int]
    receivers: Sequence[Node]
    after: Sequence[float]
    spots: Sequence[Spot | None]
    by_path: bool


class _Shape(NamedTuple):
    """What a sweep is made of; where it is the same, the sweep is. `ForeignSweep` explains it."""

    structures: tuple[Structure, ...]
    links: tuple[tuple[int, ...] | None, ...]
    root: tuple[int, int]
    order: tuple[Stretch, ...]
    rules: bytes
    operand: bytes
    spots: tuple[Spot | None, ...]
    lines: bytes
    by_path: bool


class _Way(NamedTuple):
    """How a walk has gone that computed over one forward pass alone, for others over such a pass.

    Args:
        sweep: its shape.
        earlier: which of the earlier passes that this one uses it has gone over, too.
        outs: the offsets of the nodes whose rules wrote.
        spots: the lines that wrote.
    """

    sweep: ForeignSweep
    earlier: Sequence[int]
    outs: Sequence[int]
    spots: Sequence[Spot | None]

    def over(self, forward: Forward) -> tuple[Forward, ...]:
        """Return the passes that such a walk goes over, newest first."""
        return forward, *map(forward.earlier.__getitem__, self.earlier)

    def leads(self, walk: Walk, made: Made) -> bool:
        """Whether a walk over a pass of that structure goes this way."""
        sweep = self.sweep
        return (
            walk.by_path == sweep.by_path
            and array("i", walk.slots[1:]) == sweep.operand
            and walk.spots == [*map(self.spots.__getitem__, sweep.lines)]
            and same_values(walk.outs, [*map(made.nodes.__getitem__, self.outs)])
            and sweep.structures == tuple([each.structure for each in self.over(made.forward)])
        )


class Walks:
    """Makes blocks of walks; those that go the same way share a sweep."""

    def __init__(
        self,
        known: Known,
        forward_of: Callable[[int], Forward],
        place: Callable[[Spot | None], Place],
    ) -> None:
        self._known = known
        self._forward_of = forward_of
        self._place = place
        self._sweeps: dict[object, ForeignSweep] = {}
        self._ways = defaultdict[Structure, Recent[_Way]](Recent)

    def block(self, walk: Walk, start: int, made: Made | None) -> ForeignBackward:
        """Return the block of a walk; `made` is the latest forward pass.

        Raises:
            KeyError: one of its nodes is not in the log.
        """
        if made is not None:
            ways = self._ways.get(made.forward.structure, ())
            way = next((each for each in ways if each.leads(walk, made)), None)
            if way is not None:
                return ForeignBackward(start, way.sweep, way.over(made.forward), packed(walk.after))
        return self._block(walk, start, made)

    def _block(self, walk: Walk, start: int, made: Made | None) -> ForeignBackward:
        """Return the block of a walk that is not known to go like another."""
        outs, receivers = [*map(_stamp, walk.outs)], [*map(_stamp, walk.receivers)]
        met = dict(zip(chain(outs, receivers), chain(walk.outs, walk.receivers), strict=True))
        over, place = self._located(met)
        # The root, then those that pass on a gradient, then those that only receive one.
        computed = [stamp for stamp, node in met.items() if node._operation.partials]
        entry = dict(zip(computed, count()))
        line = dict(zip(dict.fromkeys(walk.spots), count()))
        places = [*map(place.__getitem__, computed)]
        known = len(self._sweeps)
        sweep = self._sweep(
            _Shape(
                tuple([forward.structure for forward in over]),
                _links(over, {number for number, _ in places}),
                place[outs[0]],
                stretched(places),
                array("i", map(entry.__getitem__, outs[1:])).tobytes(),
                array("i", walk.slots[1:]).tobytes(),
                tuple(line),
                array("i", map(line.__getitem__, walk.spots)).tobytes(),
                walk.by_path,
            )
        )
        received = {*receivers}
        unwritten = [met[stamp]._grad for stamp in computed if stamp not in received]
        if len(self._sweeps) == known and not unwritten and made is not None:
            self._keep(walk, sweep, over, made)
        return ForeignBackward(start, sweep, over, packed([*walk.after, *unwritten]))

    def _located(
        self, stamps: Iterable[int]
    ) -> tuple[tuple[Forward, ...], dict[int, tuple[int, int]]]:
        """Return the passes that made some nodes, newest first, and where each node is in them."""
        over: list[Forward] = []
        found: dict[int, tuple[int, int]] = {}
        known = self._known.of_all(stamps)
        indices = sorted(known.values())
        ordered = [*known] if indices == [*known.values()] else sorted(known, key=known.__getitem__)
        end = len(indices)
        while end:
            forward = self._forward_of(indices[end - 1])
            begin = bisect_left(indices, forward.base, 0, end)
            offsets = map((-forward.base).__add__, indices[begin:end])
            places = zip(repeat(len(over)), offsets)
            found.update(zip(ordered[begin:end], places, strict=True))
            over.append(forward)
            end = begin
        return tuple(over), found

    def _keep(self, walk: Walk, sweep: ForeignSweep, over: tuple[Forward, ...], made: Made) -> None:
        """Keep how a walk has gone, if it computed over the latest pass alone."""
        forward = made.forward
        if over[0] is not forward or any(link is not None for link in sweep.links[1:]):
            return
        number = {each.base: which for which, each in enumerate(forward.earlier)}
        offset = {node._stamp: at for at, node in enumerate(made.nodes)}
        outs = array("i", [offset[node._stamp] for node in walk.outs])
        earlier = [number[each.base] for each in over[1:]]
        way = _Way(sweep, earlier, outs, [*dict.fromkeys(walk.spots)])
        self._ways[forward.structure].put(way)

    def _sweep(self, shape: _Shape) -> ForeignSweep:
        sweep = self._sweeps.get(shape)
        if sweep is None:
            begins, root = shape.root
            rules = array("i", shape.rules)
            sweep = self._sweeps[shape] = ForeignSweep(
                structures=shape.structures,
                links=shape.links,
                root=root,
                edges=len(rules),
                order=shape.order,
                begins=begins,
                rules=rules,
                operand=array("i", shape.operand),
                places=tuple(map(self._place, shape.spots)),
                lines=array("i", shape.lines),
                by_path=shape.by_path,
            )
        return sweep


def _links(over: Sequence[Forward], computing: set[int]) -> tuple[tuple[int, ...] | None, ...]:
    """Return for each pass which numbers the earlier ones have; None if no node of it computes."""
    number = {forward.base: which for which, forward in enumerate(over)}
    return tuple(
        [
            tuple([number.get(each.base, -1) for each in forward.earlier])
            if which in computing
            else None
            for which, forward in enumerate(over)
        ]
    )
