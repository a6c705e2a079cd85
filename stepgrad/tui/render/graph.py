"""The graph panel: the boxes of the scene, with the numbers of a position in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from stepgrad.drawing.layout import Item, Wire, lay_out
from stepgrad.recording.kept import kept
from stepgrad.replay.commands.looking import DRAWABLE, room
from stepgrad.replay.graph.folding import Bundle, FoldedGraph
from stepgrad.replay.graph.picture import BACK, Part, Picture, picture
from stepgrad.replay.session import Session
from stepgrad.replay.state import State
from stepgrad.tui.render.boxes import GraphBox
from stepgrad.tui.render.canvas import Canvas
from stepgrad.tui.render.painting import BoxContent, Painter, WireContent
from stepgrad.tui.render.wires import label_width, look

STRETCH = 16
"""How many events, or nodes, the view of what is near follows before it is centred again."""


class Drawing(NamedTuple):
    """A part of a graph, laid out once."""

    part: Part
    painter: Painter
    boxes: Mapping[int, GraphBox]

    def paint(
        self,
        state: State,
        selected: int | None,
        secret: int | None = None,
        before: State | None = None,
    ) -> Canvas:
        """Paint a position, without what is still to be predicted about a node.

        After an edit, `before` is the position in the original.
        """
        shown = picture(state, self.part, before=before)
        contents = {content.index: content for content in shown.boxes}
        current, chosen = self._box_of(state.focus), self._box_of(selected)
        ahead = _ahead_of(shown, current if chosen is None else chosen)

        def box(key: int) -> BoxContent:
            return self.boxes[key].look(contents[key], selected=key == chosen)

        def wire(each: Wire) -> WireContent:
            edge = shown.entering[each.target.key][each.slot]
            hidden = self.bundle(each).edges[0][0] == secret
            return look(edge, each.label_width, secret=hidden, heavy=edge.operand in ahead)

        return self.painter.paint(box, wire)

    def bundle(self, wire: Wire) -> Bundle:
        """Return what a wire stands for."""
        return self.part.entering[wire.target.key][wire.slot]

    def _box_of(self, node: int | None) -> int | None:
        return None if node is None else self.part.graph.box_of(node)


def _ahead_of(shown: Picture, box: int | None) -> set[int]:
    """Return a box and all that depends on it; the wires between lead to the output."""
    users: dict[int, list[int]] = {}
    for edge in shown.edges:
        users.setdefault(edge.operand, []).append(edge.out)
    ahead = set() if box is None else {box}
    pending = list(ahead)
    while pending:
        further = set(users.get(pending.pop(), ())) - ahead
        ahead |= further
        pending += further
    return ahead


@kept(16)
def draw(graph: FoldedGraph, keys: tuple[int, ...], *, framed: bool) -> Drawing:
    """Lay out boxes of a graph."""
    recording, part = graph.scene.recording, Part(graph, keys)
    boxes: dict[int, GraphBox] = {}
    items: list[Item] = []
    for key, bundles in part.entering.items():
        line = graph.scope(key)
        boxes[key] = (
            GraphBox.of_node(recording, key, framed=framed)
            if line is None
            else GraphBox.of_scope(line, framed=framed)
        )
        sources = tuple(part.source(key, each) for each in bundles)
        label = max((label_width(recording, each) for each in bundles), default=0)
        if any(source < 0 for source in sources):  # one leads back
            label += len(BACK)
        items.append(Item(key, sources, *boxes[key].size, label))
    return Drawing(part, Painter(lay_out(items)), boxes)


def in_view(session: Session) -> tuple[int, ...]:
    """Return the boxes to draw: all of them, or what is near the subject in a large graph.

    What is near stays while the subject and its neighbours are within it, so that the drawing does
    not move under the reader. It is the same whichever way the reader came: it follows the events,
    or the nodes before a selected one, from the beginning of a `STRETCH`.
    """
    graph, scene, position = session.graph, session.state.scene, session.cursor.position
    most = DRAWABLE if session.view == "whole" else room(session)
    if len(graph) <= most:
        return tuple(graph)
    begin = max(position // STRETCH * STRETCH, session.state.step_bounds[0])
    events = range(begin, position + 1)
    shown = _follow(session, (State(session.recording, each).focus for each in events))
    if session.selected is not None and _follow(session, [session.selected], shown) != shown:
        place = scene.after(scene.nearest(session.selected))
        shown = _follow(session, scene[place // STRETCH * STRETCH : place + 1])
    return shown


def _follow(
    session: Session, nodes: Iterable[int | None], shown: tuple[int, ...] = ()
) -> tuple[int, ...]:
    """Return the boxes near the last of some nodes, which the view moves to one after the other."""
    graph, limit = session.graph, room(session) // 2
    for node in nodes:
        if not set(shown).issuperset(graph.near(node, 1, limit // 2)):
            shown = graph.near(node, 2 - session.zoom, limit)
    return shown
