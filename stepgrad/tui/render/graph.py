"""The graph panel: the nodes of the scene as boxes, with the numbers of a position in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from rich.cells import cell_len

from stepgrad.drawing.layout import Item, Wire, lay_out
from stepgrad.drawing.neighbourhood import neighbourhood
from stepgrad.numbers import fitting, number
from stepgrad.recording import events
from stepgrad.recording.recording import Recording
from stepgrad.replay.ledger import latest_pass, walk
from stepgrad.replay.session import Session
from stepgrad.replay.showing import DRAWABLE
from stepgrad.replay.state import State
from stepgrad.replay.titles import short_title
from stepgrad.tui.render import ink
from stepgrad.tui.render.canvas import Canvas
from stepgrad.tui.render.painting import Border, BoxContent, Painter, WireContent
from stepgrad.tui.render.tape import beside_value

WHOLE = 48
"""Scenes of up to so many nodes are drawn whole; of larger ones, what is near the focus."""

_NAME = 14
_NUMBER = 11
_LABELS = 4, 9  # a label in training may get longer than it is when the graph is laid out


@dataclass(frozen=True, slots=True)
class Drawing:
    """Some nodes, laid out once.

    `framed` boxes hold name, value and gradient (or tangent), slim ones a name.
    """

    recording: Recording
    framed: bool
    painter: Painter
    names: Mapping[int, str]
    operands: Mapping[int, tuple[int, ...]]
    slots: Mapping[int, tuple[int, ...]]

    def paint(self, state: State, selected: int | None, secret: int | None = None) -> Canvas:
        """Return the picture at a position, without what is still to be guessed of a node."""
        event = state.event
        edge = (event.out, event.slot) if isinstance(event, events.Accumulate) else None
        walked = _walked(state)
        focus = state.focus
        ahead = self._ahead_of(focus if selected is None else selected)

        def box(node: int) -> BoxContent:
            return self._box(state, node, focus=node == focus, selected=node == selected)

        def wire(each: Wire) -> WireContent:
            out, slot = self.edge(each)
            current = (out, slot) == edge
            done = walked(out, slot)
            look = _wire(state, out, slot, current=current, walked=done)
            if out == secret and not done:
                look = WireContent("?")
            return replace(look, heavy=True) if each.operand in ahead else look

        return self.painter.paint(box, wire)

    def edge(self, wire: Wire) -> tuple[int, int]:
        """Return the edge that a wire stands for: the node, and which operand of it this is."""
        return wire.target.key, self.slots[wire.target.key][wire.slot]

    def _ahead_of(self, node: int | None) -> set[int]:
        """Return the node and all that depends on it; the wires between lead to the output."""
        ahead = {node} if node is not None else set()
        for each, operands in self.operands.items():  # in creation order, so operands come first
            if not ahead.isdisjoint(operands):
                ahead.add(each)
        return ahead

    def _box(self, state: State, node: int, *, focus: bool, selected: bool) -> BoxContent:
        value = state.value(node)
        style = ink.CURRENT if focus else ink.QUIET if value is None else ink.PLAIN
        name = self.names[node]
        border: Border = "heavy" if focus else "dashed" if value is None else "solid"
        if not self.framed:
            text = f"{style} {ink.SELECTED}".strip() if selected else style
            slim: Border = "solid" if focus else "dashed" if selected else "none"
            return BoxContent([[(name, text)]], slim, style)
        derivative, text = beside_value(state, node)
        shown = "" if value is None else number(value)
        paid = "" if value is None else text
        return BoxContent(
            [
                [(fitting(shown, value, _NUMBER), ink.sign(value))],
                [(fitting(paid, derivative, _NUMBER), ink.sign(derivative))],
            ],
            border,
            f"{style} {ink.SELECTED}".strip() if selected else style,
            [(f"›{name}" if selected else name, style)],
        )


@lru_cache(maxsize=16)
def draw(recording: Recording, nodes: tuple[int, ...], *, framed: bool) -> Drawing:
    """Lay nodes out, in creation order; constants are not drawn."""
    names, operands, slots, items = {}, {}, {}, []
    for node in map(recording.node, nodes):
        index = node.index
        slots[index] = tuple(
            slot for slot, op in enumerate(node.operands) if not recording.is_constant(op)
        )
        names[index] = ink.fit(short_title(recording, index), _NAME).strip()
        operands[index] = tuple(node.operands[slot] for slot in slots[index])
        width = cell_len(names[index]) + (4 if framed else 2)
        width = max(width, _NUMBER + 2) if framed else width
        label = max((_label_width(recording, index, slot) for slot in slots[index]), default=0)
        items.append(Item(index, operands[index], width, 4 if framed else 1, label))
    return Drawing(recording, framed, Painter(lay_out(items)), names, operands, slots)


def _label_width(recording: Recording, out: int, slot: int) -> int:
    """The room for a local derivative, with a blank on each side."""
    local = recording.history.local(out, slot, recording.length)
    shortest, longest = _LABELS
    return max(shortest, min(len(number(local)) + 2, longest))


def in_view(session: Session, before: tuple[int, ...] = ()) -> tuple[int, ...]:
    """Return the nodes to draw: the scene, or what is near the subject in a large one.

    `before` are those drawn last. They stay while the subject and all next to it are among them,
    so that the drawing does not move under the reader.
    """
    scene = session.state.scene
    room = int(WHOLE * 2.0**-session.zoom)
    if len(scene) <= (DRAWABLE if session.view == "whole" else room):
        return tuple(scene)
    subject, limit = session.subject, room // 2
    # A constant is no part of the graph, and stands right before the node that uses it.
    place = 0 if subject is None else min(scene.after(subject), len(scene) - 1)
    middle = scene[place]
    next_to = neighbourhood(scene.operands, scene.consumers, middle, 1, limit // 2)
    if set(before).issuperset(next_to):
        return before
    hops = 2 - session.zoom
    return tuple(sorted(neighbourhood(scene.operands, scene.consumers, middle, hops, limit)))


def _walked(state: State) -> Callable[[int, int], bool]:
    """Return a test whether the latest pass has walked the edge of a node and a slot by now."""
    block = latest_pass(state.recording, state.position)

    def walked(out: int, slot: int) -> bool:
        at = None if block is None else walk(block, out, slot)
        return at is not None and at <= state.position

    return walked


def _wire(state: State, out: int, slot: int, *, current: bool, walked: bool) -> WireContent:
    if state.value(out) is None:
        return WireContent(style=ink.QUIET)
    local = state.recording.history.local(out, slot, state.position)
    label = number(local)
    if current:
        return WireContent(label, ink.CURRENT, ink.CURRENT, heavy=True, rank=2)
    if walked:
        return WireContent(label, ink.BACKWARD, ink.sign(local), rank=1)
    return WireContent(label, ink.PLAIN, ink.sign(local))
