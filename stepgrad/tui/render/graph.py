"""The graph panel: the boxes of the scene, with the numbers of a position in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from stepgrad.drawing.layout import Box, Item, Layout, Wire, lay_out
from stepgrad.recording.kept import kept
from stepgrad.replay.commands.looking import DRAWABLE, NEARBY, open_neuron, room
from stepgrad.replay.graph.folding import Bundle, FoldedGraph, Slot
from stepgrad.replay.graph.picture import BACK, Part, Picture, picture
from stepgrad.replay.session import Session
from stepgrad.replay.state import State
from stepgrad.tui.render.boxes import Form, GraphBox
from stepgrad.tui.render.canvas import Canvas
from stepgrad.tui.render.painting import BoxContent, Painter, WireContent
from stepgrad.tui.render.widths import widths
from stepgrad.tui.render.wires import label_width, look

STRETCH = 16
"""How many events, or nodes, the view of what is near follows before it is centred again."""


Within = Callable[[int, int, int, int], bool]
"""Whether a part of the drawing (column, row, width, height) is whole in view."""


@dataclass(frozen=True)
class Drawing:
    """A part of a graph, laid out once."""

    part: Part
    form: Form
    layout: Layout
    boxes: Mapping[int, GraphBox]

    @cached_property
    def painter(self) -> Painter:
        """Traces the wires, once it is clear that this is the drawing to show."""
        return Painter(self.layout)

    def paint(
        self,
        state: State,
        selected: int | None,
        secret: int | None = None,
        within: Within = lambda *_: True,
        before: State | None = None,
    ) -> Canvas:
        """Paint a position, without what is still to be predicted about a node.

        Boxes and labels that are not whole in view stay empty. After an edit, `before` is the
        position in the original.
        """
        shown = picture(state, self.part, before=before)
        contents = {content.index: content for content in shown.boxes}
        current, chosen = self.box_of(state.focus), self.box_of(selected)
        ahead = _ahead_of(shown, current if chosen is None else chosen)

        def box(place: Box) -> BoxContent:
            key = place.key
            if not within(place.x, place.y, place.width, place.height):
                return self.boxes[key].emptied
            return self.boxes[key].look(contents[key], selected=key == chosen)

        def wire(each: Wire) -> WireContent:
            edge = shown.entering[each.target.key][each.slot]
            hidden = self.bundle(each).edges[0][0] == secret
            seen = look(edge, each.label_width, secret=hidden, heavy=edge.operand in ahead)
            legible = within(*each.label, each.label_width, 1)
            return seen if legible else seen._replace(label="")

        return self.painter.paint(box, wire)

    def bundle(self, wire: Wire) -> Bundle:
        """Return what a wire stands for."""
        return self.part.entering[wire.target.key][wire.slot]

    def wire_of(self, edge: Slot) -> Wire | None:
        """Return the wire that stands for an edge alone, if there is one."""
        wires = (wire for wire in self.layout.wires if wire.target.key == edge[0])
        return next((wire for wire in wires if [*self.bundle(wire).edges] == [edge]), None)

    def box_of(self, node: int | None) -> int | None:
        """Return the box that shows a node."""
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
def draw(graph: FoldedGraph, keys: tuple[int, ...], form: Form) -> Drawing:
    """Lay out boxes of a graph."""
    part = Part(graph, keys)
    boxes = {key: box_for(graph, key, form) for key in part.entering}
    items = [
        Item(
            key,
            tuple(part.source(key, each) for each in bundles),
            *boxes[key].size,
            max((_label_width(part, key, each, form) for each in bundles), default=0),
        )
        for key, bundles in part.entering.items()
    ]
    return Drawing(part, form, lay_out(items), boxes)


def box_for(graph: FoldedGraph, key: int, form: Form) -> GraphBox:
    """Return the box for a node or a folded scope."""
    line = graph.scope(key)
    if line is None:
        return GraphBox.of_node(graph.scene.recording, key, form)
    return GraphBox.of_scope(line, form)


def _label_width(part: Part, box: int, bundle: Bundle, form: Form) -> int:
    recording = part.graph.scene.recording
    width = label_width(recording, bundle) + len(BACK) * (part.source(box, bundle) < 0)
    if form.roomy and len(bundle.edges) == 1:
        return max(width, widths(recording).rule(bundle.edges[0]) + 2)
    return min(width, form.label)


FRAMED, SLIM = Form(framed=True), Form(framed=False)
_SHORT = Form(framed=False, name=9, label=8)

_FORMS = FRAMED._replace(roomy=True), FRAMED, SLIM._replace(roomy=True), SLIM, _SHORT
"""From the one that shows most to the one that takes least."""

_TINY = Form(framed=False, name=6, label=3), Form(framed=False, name=6, label=0)
"""The same, on demand: short names, and labels for short numbers only, or for none."""

_OF_A_PART = FRAMED, SLIM
"""The same for a part, which changes with the position: laying it out has to be quick."""

CHANGES: tuple[Literal["both", "new"], ...] = ("both", "new")
"""How much of a change by an edit is in a box, the most first."""

LARGE = 120
"""From this width on, a drawing that does not fit in any form is framed."""


def suited(session: Session, width: int, height: int, *, changed: bool = False) -> Drawing:
    """Draw a graph in the form that shows most of those in which it is whole in view.

    Where there is none, a large panel shows a part of it with numbers, a small one with names.
    On demand, it is as small as it takes. If numbers have `changed` by an edit, boxes have room for
    two, if they can. That more than `NEARBY` boxes fit is not even tried.
    """
    graph, keys = session.graph, in_view(session)
    rules = widths(session.recording).known
    forms = () if len(keys) > NEARBY else _OF_A_PART if len(keys) < len(graph) else _FORMS
    if changed:
        framed = [form for form in forms if form.framed]
        both, new = ([form._replace(change=way) for form in framed] for way in CHANGES)
        forms = (*both, *new, *forms)
    for form in (*forms, *(_TINY if session.fit and forms else ())):
        if form.roomy and not rules:
            continue
        drawing = draw(graph, keys, form)
        if drawing.layout.width <= width and drawing.layout.height <= height:
            return drawing
    return draw(graph, keys, _TINY[-1] if session.fit else FRAMED if width >= LARGE else SLIM)


def in_view(session: Session) -> tuple[int, ...]:
    """Return the boxes to draw: those of an open neuron, all, or what is near the subject.

    What is near stays while the subject and its neighbours are within it, so that the drawing does
    not move under the reader. It is the same whichever way the reader came: it follows the events,
    or the nodes before a selected one, from the beginning of a `STRETCH`.
    """
    graph, scene, position = session.graph, session.state.scene, session.cursor.position
    neuron = open_neuron(session)
    if neuron is not None:
        return tuple(node for node in neuron.nodes if node in scene)
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
