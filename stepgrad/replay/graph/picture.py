"""`Picture`: what there is to see of a graph at a position. The screen and every format paint it.

A `Part` is what stays the same at every position, so a painter can lay it out once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from stepgrad.numbers import fitting, fitting_change, number
from stepgrad.replay.graph.contents import Content, Node, content_of
from stepgrad.replay.graph.folding import Bundle, FoldedGraph, operands_first
from stepgrad.replay.graph.stages import Stage, Stages
from stepgrad.replay.program import counterpart
from stepgrad.replay.state import State

BACK = "↺ "
"""The mark of an edge that leads back, from a box further to the right."""


class Part:
    """Some boxes of a graph: `entering` has each with what enters it, slot by slot.

    Operands come first, and apart from that, boxes are in the order of creation.
    """

    def __init__(self, graph: FoldedGraph, boxes: Collection[int]) -> None:
        self.graph = graph
        drawn = frozenset(boxes)
        entering = {box: graph.entering(box, drawn) for box in boxes}
        order = operands_first({box: {e.operand for e in into} for box, into in entering.items()})
        self.entering: Mapping[int, Sequence[Bundle]] = {box: entering[box] for box in order}
        self._places = {box: place for place, box in enumerate(order)}

    def source(self, box: int, bundle: Bundle) -> int:
        """The box that a wire to a box begins at, in a drawing that has operands first.

        A wire that leads back begins at none: the result is a key that no box has.
        """
        operand = bundle.operand
        return ~operand if self._places.get(operand, -1) > self._places[box] else operand

    @property
    def extent(self) -> str:
        """How much of the graph this is: `3 of 101 boxes`; empty if it is all."""
        boxes, whole = len(self.entering), len(self.graph)
        kind = "nodes" if whole == len(self.graph.scene) else "boxes"
        return "" if boxes == whole else f"{boxes:,} of {whole:,} {kind}"


@dataclass(frozen=True, slots=True)
class Edge:
    """An operand that enters a box, or `count` edges between two boxes, one of them folded.

    `local` is ∂node/∂operand; None before the node is computed, and for several edges. The stage
    of several is that of the most advanced one. `direction` says which way a derivative has passed:
    −1 back to the operand, 1 forward, 0 if none has. A drawing takes the wire from box `source`,
    which is `operand` or, if the edge leads `back`, none. After an edit, `old` is the local
    derivative before, if there was one.
    """

    operand: int
    out: int
    slot: int
    source: int
    local: float | None
    stage: Stage
    direction: int = 0
    count: int = 1
    old: float | None = None

    @property
    def back(self) -> bool:
        """Whether it leads back in a drawing that has operands first."""
        return self.source != self.operand

    @property
    def shut(self) -> bool:
        """Whether the local derivative is exactly 0: a bar crosses the wire, nothing comes back."""
        return self.local == 0

    @property
    def label(self) -> str:
        """The local derivative as a person writes it, or the number of edges."""
        if self.count > 1:
            return f"×{self.count:,}"
        return "" if self.local is None else number(self.local)

    def fitted(self, width: int) -> str:
        """The label in a number of cells, with fewer digits if need be: `4 → 4.2` after an edit."""
        back = BACK * self.back
        room, change = width - len(back), ""
        if self.old is not None and self.local is not None:
            was, now = ((number(x), x) for x in (self.old, self.local))
            change = fitting_change(was, now, room)
        return f"{back}{change or fitting(self.label, self.local, room)}"

    @property
    def marked_label(self) -> str:
        """The label for a drawing that has operands first: it says what leads back."""
        return f"{BACK * self.back}{self.label}"


class Picture(NamedTuple):
    """Boxes and edges at a position.

    `boxes` have operands first. `entering` has the edges into each, slot by slot; they may come
    from operands that are not among the boxes.
    """

    boxes: Sequence[Content]
    entering: Mapping[int, Sequence[Edge]]

    @property
    def nodes(self) -> Sequence[Node]:
        """The boxes that are nodes."""
        return [box for box in self.boxes if isinstance(box, Node)]

    @property
    def edges(self) -> Sequence[Edge]:
        """All edges, box by box."""
        return [edge for edges in self.entering.values() for edge in edges]

    @property
    def inner_edges(self) -> Sequence[Edge]:
        """The edges with both ends in the picture."""
        return [edge for edge in self.edges if edge.operand in self.entering]


def picture(
    state: State, part: Part, *, highlight: bool = True, before: State | None = None
) -> Picture:
    """Describe a part of a graph at a position; without `highlight`, as a result.

    After an edit, `before` is the position in the original.
    """
    stages, graph = Stages(state, highlight=highlight), part.graph
    current = None if state.focus is None or not highlight else graph.box_of(state.focus)
    return Picture(
        [content_of(state, graph, box, box == current, before) for box in part.entering],
        {
            box: [
                _compared(edge_at(state, stages, part, box, bundle), bundle, state, before)
                for bundle in bundles
            ]
            for box, bundles in part.entering.items()
        },
    )


def edge_at(state: State, stages: Stages, part: Part, box: int, bundle: Bundle) -> Edge:
    """Describe what leads into a box at a position, whose `stages` are known."""
    (out, slot), count = bundle.edges[0], len(bundle.edges)
    stage, direction = stages.of(bundle)
    known = count == 1 and stage != "waiting"
    local = state.recording.history.local(out, slot, state.seen_by(out)) if known else None
    source = part.source(box, bundle)
    return Edge(bundle.operand, box, slot, source, local, stage, direction, count)


def _compared(edge: Edge, bundle: Bundle, state: State, before: State | None) -> Edge:
    """An edge with the local derivative before an edit, if it was computed in the same way."""
    if before is None or edge.local is None:
        return edge
    out, slot = bundle.edges[0]
    node = counterpart(state.recording, out, before.recording)
    if node is None or before.value(node) is None:
        return edge
    return replace(edge, old=before.recording.history.local(node, slot, before.seen_by(node)))
