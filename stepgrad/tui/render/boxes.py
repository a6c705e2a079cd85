"""What is in the boxes of the graph: a node with its numbers, or a folded scope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rich.cells import cell_len

from stepgrad.numbers import fitting, number
from stepgrad.recording.recording import Recording
from stepgrad.replay.outline import ScopeLine
from stepgrad.replay.scopes import shares, span
from stepgrad.replay.state import State
from stepgrad.replay.summary import summary
from stepgrad.replay.telling.titles import short_title
from stepgrad.tui.render import ink
from stepgrad.tui.render.painting import Border, BoxContent, Line
from stepgrad.tui.render.tape import beside_value

_NAME, _SCOPE = 14, 20
_NUMBER = 11
_SPAN, _SHARES = len("|grad| 1e−6…0.033"), len(" 0 22%")


@dataclass(frozen=True, slots=True)
class NodeBox:
    """A node: its name and, if `framed`, its value and its gradient (or tangent)."""

    node: int
    name: str
    framed: bool

    @classmethod
    def of(cls, recording: Recording, node: int, *, framed: bool) -> NodeBox:
        """Write a node's name as far as there is room."""
        return cls(node, ink.fit(short_title(recording, node), _NAME).strip(), framed)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in cells."""
        width = cell_len(self.name)
        return (max(width + 4, _NUMBER + 2), 4) if self.framed else (width + 2, 1)

    def content(self, state: State, *, current: bool, selected: bool) -> BoxContent:
        """Fill the box."""
        value = state.value(self.node)
        made = value is not None
        if not self.framed:
            return _slim([self.name], made=made, current=current, selected=selected)
        derivative, text = beside_value(state, self.node)
        shown, paid = ("", "") if value is None else (number(value), text)
        return _framed(
            self.name,
            [
                [(fitting(shown, value, _NUMBER), ink.sign(value))],
                [(fitting(paid, derivative, _NUMBER), ink.sign(derivative))],
            ],
            made=made,
            current=current,
            selected=selected,
        )


@dataclass(frozen=True, slots=True)
class ScopeBox:
    """A folded scope: its name, its number of nodes, and their gradients as the tape sums them up.

    If the last event is about one of the nodes, a framed box says which.
    """

    line: ScopeLine
    framed: bool

    @property
    def _name(self) -> str:
        name = self.line.scope
        shown = ink.fit_end(name, min(cell_len(name), _SCOPE))
        return f"+ {shown} ×{len(self.line.nodes):,}"

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in cells."""
        name = cell_len(self._name)
        if self.framed:
            return max(name + 2, _SPAN) + 2, 4
        return max(name, _SPAN + _SHARES) + 2, 2

    def content(self, state: State, *, current: bool, selected: bool) -> BoxContent:
        """Fill the box."""
        known = summary(state, self.line)
        told, sizes = shares(state, self.line, known), span(known)
        sizes = f"|grad| {sizes}" if sizes else ""
        made = state.value(self.line.nodes[0]) is not None
        if not self.framed:
            lines = [self._name, f"{sizes} {told}".strip()]
            return _slim(lines, made=made, current=current, selected=selected)
        facts = [[(text, ink.QUIET)] for text in (sizes, told)]
        box = _framed(self._name, facts, made=made, current=current, selected=selected)
        return replace(box, foot=[(_inside(state), box.style)]) if current else box


def _inside(state: State) -> str:
    """Say in a folded scope which of its nodes the last event is about."""
    assert state.focus is not None, "asked where there is one"
    return f"{ink.ARROWS.get(state.phase or '', '▶')} {short_title(state.recording, state.focus)}"


def _framed(
    name: str, lines: Sequence[Line], *, made: bool, current: bool, selected: bool
) -> BoxContent:
    style = _style(made=made, current=current)
    border: Border = "heavy" if current else "solid" if made else "dashed"
    title = f"›{name}" if selected else name
    ground = f"{style} {ink.SELECTED}".strip() if selected else style
    return BoxContent(lines, border, ground, [(title, style)])


def _slim(lines: Sequence[str], *, made: bool, current: bool, selected: bool) -> BoxContent:
    style = _style(made=made, current=current)
    text = f"{style} {ink.SELECTED}".strip() if selected else style
    border: Border = "solid" if current else "dashed" if selected else "none"
    return BoxContent([[(line, text)] for line in lines], border, style)


def _style(*, made: bool, current: bool) -> str:
    return ink.CURRENT if current else ink.PLAIN if made else ink.QUIET
