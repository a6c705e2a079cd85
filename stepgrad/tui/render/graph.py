"""The graph panel: the boxes of the scene, with the numbers of a position in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from stepgrad.drawing.layout import Item, Wire, lay_out
from stepgrad.drawing.neighbourhood import neighbourhood
from stepgrad.replay.commands.looking import DRAWABLE, room
from stepgrad.replay.quotient import Bundle, Quotient, operands_first
from stepgrad.replay.session import Session
from stepgrad.replay.state import State
from stepgrad.tui.render.boxes import NodeBox, ScopeBox
from stepgrad.tui.render.canvas import Canvas
from stepgrad.tui.render.painting import BoxContent, Painter, WireContent
from stepgrad.tui.render.wires import BACK, Wires, label_width


@dataclass(frozen=True, slots=True)
class Drawing:
    """Some boxes of a graph, laid out once; `bundles` are the edges into each, slot by slot."""

    graph: Quotient
    painter: Painter
    boxes: Mapping[int, NodeBox | ScopeBox]
    bundles: Mapping[int, Sequence[Bundle]]

    def paint(self, state: State, selected: int | None, secret: int | None = None) -> Canvas:
        """Return the picture at a position, without what is still to be predicted about a node."""
        current, chosen = self._box_of(state.focus), self._box_of(selected)
        ahead = self._ahead_of(current if chosen is None else chosen)
        wires = Wires(state, secret)

        def box(key: int) -> BoxContent:
            return self.boxes[key].content(state, current=key == current, selected=key == chosen)

        def wire(each: Wire) -> WireContent:
            bundle = self.bundle(each)
            look = wires.look(bundle)
            if each.operand == _back(bundle.operand):
                look = replace(look, label=f"{BACK}{look.label}")
            return replace(look, heavy=True) if bundle.operand in ahead else look

        return self.painter.paint(box, wire)

    def bundle(self, wire: Wire) -> Bundle:
        """Return what a wire stands for."""
        return self.bundles[wire.target.key][wire.slot]

    def _box_of(self, node: int | None) -> int | None:
        return None if node is None else self.graph.box_of(node)

    def _ahead_of(self, box: int | None) -> set[int]:
        """Return the box and all that depends on it; the wires between lead to the output."""
        users: dict[int, list[int]] = {}
        for key, bundles in self.bundles.items():
            for bundle in bundles:
                users.setdefault(bundle.operand, []).append(key)
        ahead = set() if box is None else {box}
        pending = list(ahead)
        while pending:
            further = set(users.get(pending.pop(), ())) - ahead
            ahead |= further
            pending += further
        return ahead


@lru_cache(maxsize=16)
def draw(graph: Quotient, keys: tuple[int, ...], *, framed: bool) -> Drawing:
    """Lay out boxes of a graph."""
    recording, drawn = graph.scene.recording, frozenset(keys)
    boxes: dict[int, NodeBox | ScopeBox] = {}
    for key in keys:
        line = graph.scope(key)
        if line is None:
            boxes[key] = NodeBox.of(recording, key, framed=framed)
        else:
            boxes[key] = ScopeBox(line, framed)
    bundles = {key: graph.entering(key, drawn) for key in keys}
    items: list[Item] = []
    placed: set[int] = set()
    for key in operands_first({key: {each.operand for each in bundles[key]} for key in keys}):
        sources = [each.operand for each in bundles[key]]
        back = {source for source in sources if source in drawn and source not in placed}
        label = max((label_width(recording, each) for each in bundles[key]), default=0)
        operands = tuple(_back(each) if each in back else each for each in sources)
        room = label + len(BACK) if back else label
        items.append(Item(key, operands, *boxes[key].size, room))
        placed.add(key)
    return Drawing(graph, Painter(lay_out(items)), boxes, bundles)


def _back(operand: int) -> int:
    """Return a key that no box has: a wire that leads back is drawn as an open end."""
    return ~operand


def in_view(session: Session, before: tuple[int, ...] = ()) -> tuple[int, ...]:
    """Return the boxes to draw: all of them, or what is near the subject in a large graph.

    `before` are those drawn last. They stay while the subject and its neighbours are among them,
    so that the drawing does not move under the reader.
    """
    graph = session.quotient
    most = DRAWABLE if session.view == "whole" else room(session)
    if len(graph) <= most:
        return tuple(graph)
    scene, subject, limit = graph.scene, session.subject, room(session) // 2
    # A constant is not part of the graph; it is made right before the node that uses it.
    place = 0 if subject is None else min(scene.after(subject), len(scene) - 1)
    middle = graph.box_of(scene[place])
    next_to = neighbourhood(graph.operands, graph.consumers, middle, 1, limit // 2)
    if set(before).issuperset(next_to):
        return before
    hops = 2 - session.zoom
    return tuple(sorted(neighbourhood(graph.operands, graph.consumers, middle, hops, limit)))


def title(graph: Quotient, boxes: Sequence[int]) -> str:
    """Say how many boxes of a graph are drawn, if not all are."""
    if len(boxes) == len(graph):
        return "graph"
    kind = "nodes" if len(graph) == len(graph.scene) else "boxes"
    return f"graph  {len(boxes)} of {len(graph):,} {kind}"
