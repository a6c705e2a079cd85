"""The graph panel: the nodes of the scene as boxes, with the numbers of a position in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from rich.cells import cell_len

from stepgrad.recording import events
from stepgrad.recording.recording import Recording
from stepgrad.replay.ledger import latest_pass
from stepgrad.replay.numbers import fitting, number
from stepgrad.replay.state import State
from stepgrad.replay.titles import short_title
from stepgrad.tui.render import ink
from stepgrad.tui.render.canvas import Canvas
from stepgrad.tui.render.layout import Item, Wire, lay_out
from stepgrad.tui.render.neighbourhood import neighbourhood
from stepgrad.tui.render.painting import Border, BoxContent, Painter, WireContent
from stepgrad.tui.render.tape import gradient_text

WHOLE = 48
"""Scenes of up to so many nodes are drawn whole; of larger ones, what is near the focus."""

_NAME = 14
_NUMBER = 11
_LABELS = 4, 9  # a label in training may get longer than it is when the graph is laid out


@dataclass(frozen=True, slots=True)
class Drawing:
    """Some nodes, laid out once; `framed` boxes hold name, value and gradient, slim ones a name."""

    recording: Recording
    framed: bool
    painter: Painter
    slots: dict[int, tuple[int, ...]]

    def paint(self, state: State, selected: int | None) -> Canvas:
        """Return the picture at a position."""
        event = state.event
        edge = (event.out, event.slot) if isinstance(event, events.Accumulate) else None
        walked = _walked(state)
        focus = state.focus
        ahead = self._ahead_of(focus if selected is None else selected)

        def box(node: int) -> BoxContent:
            return self._box(state, node, focus=node == focus, selected=node == selected)

        def wire(each: Wire) -> WireContent:
            out, slot = each.target.key, self.slots[each.target.key][each.slot]
            look = _wire(state, out, slot, current=(out, slot) == edge, walked=walked)
            return replace(look, heavy=True) if each.operand in ahead else look

        return self.painter.paint(box, wire)

    def _ahead_of(self, node: int | None) -> set[int]:
        """Return the node and all that depends on it; the wires between lead to the output."""
        ahead = {node} if node is not None else set()
        for each in self.slots:  # in creation order, so operands come first
            if not ahead.isdisjoint(self.recording.node(each).operands):
                ahead.add(each)
        return ahead

    def _box(self, state: State, node: int, *, focus: bool, selected: bool) -> BoxContent:
        value = state.value(node)
        style = ink.CURRENT if focus else ink.QUIET if value is None else ink.PLAIN
        name = ink.fit(short_title(self.recording, node), _NAME).strip()
        border: Border = "heavy" if focus else "dashed" if value is None else "solid"
        if not self.framed:
            text = f"{style} {ink.SELECTED}".strip() if selected else style
            slim: Border = "solid" if focus else "dashed" if selected else "none"
            return BoxContent([[(name, text)]], slim, style)
        grad = state.grad(node)
        shown = "" if value is None else number(value)
        paid = "" if value is None else gradient_text(state, node, grad)
        return BoxContent(
            [
                [(fitting(shown, value, _NUMBER), ink.sign(value))],
                [(fitting(paid, grad, _NUMBER), ink.sign(grad))],
            ],
            border,
            f"{style} {ink.SELECTED}".strip() if selected else style,
            [(f"›{name}" if selected else name, style)],
        )


@lru_cache(maxsize=16)
def draw(recording: Recording, nodes: tuple[int, ...], *, framed: bool) -> Drawing:
    """Lay nodes out, in creation order; constants are not drawn."""
    items, slots = [], {}
    for node in map(recording.node, nodes):
        variable = [i for i, op in enumerate(node.operands) if not recording.node(op).constant]
        slots[node.index] = tuple(variable)
        name = min(cell_len(short_title(recording, node.index)), _NAME)
        width = max(name + 4, _NUMBER + 2) if framed else name + 2
        operands = tuple(node.operands[i] for i in variable)
        label = max((_label_width(recording, node.index, i) for i in variable), default=0)
        items.append(Item(node.index, operands, width, 4 if framed else 1, label))
    return Drawing(recording, framed, Painter(lay_out(items)), slots)


def _label_width(recording: Recording, out: int, slot: int) -> int:
    """The room for a local derivative, with a blank on each side."""
    local = recording.history.local(out, slot, recording.length)
    shortest, longest = _LABELS
    return max(shortest, min(len(number(local)) + 2, longest))


def in_view(state: State, centre: int | None) -> tuple[int, ...]:
    """Return the nodes to draw: the scene, or what is near the centre in a large one."""
    scene = tuple(state.scene)
    if len(scene) <= WHOLE:
        return scene
    middle = scene[0] if centre is None or centre not in scene else centre
    operands, consumers = _links(state.recording, scene)
    near = neighbourhood(operands.__getitem__, consumers.__getitem__, middle, 2, WHOLE // 2)
    return tuple(sorted(near))


_Links = dict[int, Sequence[int]]


@lru_cache(maxsize=4)
def _links(recording: Recording, scene: tuple[int, ...]) -> tuple[_Links, _Links]:
    """Return the operands and the consumers of every node, within a scene."""
    operands: _Links = {}
    consumers: dict[int, list[int]] = defaultdict(list)
    inside = set(scene)
    for node in map(recording.node, scene):
        operands[node.index] = [op for op in node.operands if op in inside]
        for operand in operands[node.index]:
            consumers[operand].append(node.index)
    return operands, {node: consumers.get(node, ()) for node in scene}


def _walked(state: State) -> set[tuple[int, int]]:
    """Return the edges, as (out, slot), that the latest pass has walked by now."""
    block = latest_pass(state.recording, state.position)
    if block is None:
        return set()
    done = min(state.position - block.start - 1, len(block.sweep.slots))
    return {block.edge(edge) for edge in range(done)}


def _wire(
    state: State, out: int, slot: int, *, current: bool, walked: set[tuple[int, int]]
) -> WireContent:
    if state.value(out) is None:
        return WireContent(style=ink.QUIET)
    local = state.recording.history.local(out, slot, state.position)
    label = number(local)
    if current:
        return WireContent(label, ink.CURRENT, ink.CURRENT, heavy=True, rank=2)
    if (out, slot) in walked:
        return WireContent(label, ink.BACKWARD, ink.sign(local), rank=1)
    return WireContent(label, ink.PLAIN, ink.sign(local))
