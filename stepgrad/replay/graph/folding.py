"""The graph to draw: that of a scene, with every folded scope as one box."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from heapq import heapify, heappop, heappush
from itertools import compress
from operator import ne
from typing import overload

from stepgrad.recording.kept import kept
from stepgrad.replay.graph.neighbourhood import neighbourhood
from stepgrad.replay.graph.outline import ScopeLine, outline
from stepgrad.replay.graph.scene import Scene

Slot = tuple[int, int]
"""A node, and which operand of it."""

BOXES, VIEWS = 1024, 64
"""How many boxes, and how many views of what is near, a graph keeps what was found for."""


@dataclass(frozen=True, eq=False)
class Bundle:
    """What leads from the box `operand` into another: an edge, or all edges of a folded scope."""

    operand: int
    edges: Sequence[Slot]


class FoldedGraph(Sequence[int]):
    """The boxes of a scene with some scopes folded, in the order of creation.

    A box is known by a node: an open one by its own, a folded scope by its first, like a target of
    the outline. Edges between two nodes of the same box are left out.
    """

    def __init__(self, scene: Scene, folded: frozenset[str]) -> None:
        self.scene = scene
        self._outline = outline(scene, folded)
        self._scopes = {line.nodes[0]: line for line in self._outline.folded}

    @overload
    def __getitem__(self, place: int) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[int]: ...
    def __getitem__(self, place: int | slice) -> int | Sequence[int]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        if not -len(self) <= place < len(self):
            raise IndexError(f"box {place} of {len(self)}")
        return self._outline.node_of(place % len(self))

    def __len__(self) -> int:
        return self._outline.targets

    def box_of(self, node: int) -> int:
        """The box that shows a node; a node outside the scene is its own box."""
        target = self._outline.target_of(node) if self._scopes else None
        return node if target is None else self._outline.node_of(target)

    def scope(self, box: int) -> ScopeLine | None:
        """The folded scope that a box stands for; None for a node."""
        return self._scopes.get(box)

    @kept(BOXES)
    def operands(self, box: int) -> Sequence[int]:
        """The boxes that contain operands of a box, ascending."""
        if box in self._scopes:
            return sorted(self._around_scopes[0][box])
        return sorted(set(map(self.box_of, self.scene.operands(box))))

    @kept(BOXES)
    def consumers(self, box: int) -> Sequence[int]:
        """The boxes that use a box, ascending."""
        if box in self._scopes:
            return sorted(self._around_scopes[1][box])
        return sorted(set(map(self.box_of, self.scene.consumers(box))))

    def bundles(self, box: int) -> Sequence[Bundle]:
        """What enters a box: edges between nodes one by one, others grouped by origin.

        Edges from constants are left out.
        """
        if box in self._scopes:
            return [Bundle(*entry) for entry in sorted(self._around_scopes[0][box].items())]
        recording = self.scene.recording
        found: dict[tuple[int, int | None], list[Slot]] = {}
        for slot, operand in enumerate(recording.node(box).operands):
            if not recording.is_constant(operand):
                source = self.box_of(operand)
                apart = None if source in self._scopes else slot
                found.setdefault((source, apart), []).append((box, slot))
        return [Bundle(source, edges) for (source, _), edges in found.items()]

    def entering(self, box: int, drawn: Collection[int]) -> Sequence[Bundle]:
        """What enters one of the drawn boxes: the `bundles`, in fewer wires.

        All edges into a folded scope from boxes that are not drawn become one wire.
        """
        bundles = self.bundles(box)
        outside = [each for each in bundles if each.operand not in drawn]
        if box not in self._scopes or len(outside) < 2:
            return bundles
        edges = sorted(edge for each in outside for edge in each.edges)
        inside = (each for each in bundles if each.operand in drawn)
        return [*inside, Bundle(outside[0].operand, edges)]

    @kept(VIEWS)
    def near(self, node: int | None, hops: int, limit: int) -> tuple[int, ...]:
        """The boxes at most `hops` edges from that of a node, the nearest `limit` of them."""
        middle = self.box_of(self.scene.nearest(node))
        return tuple(sorted(neighbourhood(self.operands, self.consumers, middle, hops, limit)))

    @cached_property
    def _around_scopes(
        self,
    ) -> tuple[Mapping[int, Mapping[int, list[Slot]]], Mapping[int, set[int]]]:
        """For each folded scope, the edges that enter it, grouped by origin, and its users."""
        scopes = self._scopes
        entering: dict[int, dict[int, list[Slot]]] = {box: {} for box in scopes}
        users: dict[int, set[int]] = {box: set() for box in scopes}
        nodes, shown = self.scene[:], self._outline.shown_as
        outs, operands, slots = self.scene.edges
        boxes, sources = (list(map(shown.__getitem__, ends)) for ends in (outs, operands))
        edges = zip(boxes, sources, outs, slots, strict=True)
        # There may be a hundred thousand, most of them within a scope.
        for box, source, out, slot in compress(edges, map(ne, boxes, sources)):
            if box in scopes:
                entering[box].setdefault(source, []).append((nodes[out], slot))
            if source in scopes:
                users[source].add(box)
        return entering, users


@kept(8)
def folded_graph(scene: Scene, folded: frozenset[str]) -> FoldedGraph:
    """Return the boxes of a scene with these scopes folded."""
    return FoldedGraph(scene, folded)


def operands_first(operands: Mapping[int, Collection[int]]) -> list[int]:
    """Put boxes in the order of creation, but each after those of its operands.

    There may be cycles between scopes, because a program may return to a scope. In each cycle, the
    edge into the box that was made first leads back, against the order.
    """
    before = {box: operands.keys() & set(entering) for box, entering in operands.items()}
    if all(max(entering, default=box - 1) < box for box, entering in before.items()):
        return sorted(before)
    while True:
        sorter = TopologicalSorter(before)
        try:
            sorter.prepare()
        except CycleError as error:
            cycle = error.args[1]  # each an operand of the next, the first once more at the end
            at = cycle.index(min(cycle), 1)
            before[cycle[at]].remove(cycle[at - 1])
        else:
            break
    order: list[int] = []
    ready = list(sorter.get_ready())
    heapify(ready)
    while ready:
        order.append(heappop(ready))
        sorter.done(order[-1])
        for box in sorter.get_ready():
            heappush(ready, box)
    return order
