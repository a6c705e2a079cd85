"""What is in the boxes of the graph: a node with its numbers, or a folded scope."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from rich.cells import cell_len

from stepgrad.recording.kept import kept
from stepgrad.recording.recording import Recording
from stepgrad.replay.graph.contents import Content, Fold
from stepgrad.replay.graph.outline import ScopeLine
from stepgrad.replay.state import State
from stepgrad.replay.telling.titles import short_title
from stepgrad.tui.render import ink
from stepgrad.tui.render.painting import Border, BoxContent, Line
from stepgrad.tui.render.widths import widths

_SCOPE = 20
_SELECTED = "›"
_ARROW = " → "

CHANGE = 13
"""The most cells of a number before and after an edit, in a box."""

_SPAN, _SHARES = len("|grad| 1e−6…0.033"), len(" 0 22%")


class Form(NamedTuple):
    """How boxes and wires are drawn.

    Framed boxes hold numbers, slim ones names alone. `name` and `label` are the most cells of a
    name in a box and of a label on a wire; `roomy` wires have room for the chain rule, too. After
    an edit, there is room for `both` numbers of a change, or for the `new` one after its arrow.
    """

    framed: bool
    roomy: bool = False
    name: int = 14
    label: int = 99
    change: Literal["", "new", "both"] = ""


class GraphBox(NamedTuple):
    """The name and the size (in cells) of a box, which are the same at every position.

    A node shows its name and, if `framed`, its value and its gradient (or tangent). A folded scope
    shows its gradients as the tape sums them up; a framed one says which of its nodes the last
    event is about.
    """

    name: str
    size: tuple[int, int]
    framed: bool

    @classmethod
    def of_node(cls, recording: Recording, node: int, form: Form) -> GraphBox:
        """Write a node's name as far as there is room."""
        name = _name(recording, node, form.name)
        width = cell_len(name)
        if not form.framed:
            return cls(name, (width + 2, 1), False)
        number = widths(recording).number
        room = {"": number, "new": number + 1, "both": min(2 * number + len(_ARROW), CHANGE)}
        told = room[form.change]
        inner = max(width + cell_len(_SELECTED), told)
        return cls(name, (inner + 2, 4), True)

    @classmethod
    def of_scope(cls, line: ScopeLine, form: Form) -> GraphBox:
        """Write a scope's name as far as there is room, and its number of nodes."""
        scope = ink.fit_name(line.scope, min(cell_len(line.scope), _SCOPE))
        name = f"+ {scope} ×{len(line.nodes):,}"
        width = cell_len(name)
        if form.framed:
            return cls(name, (max(width + 2, _SPAN) + 2, 4), True)
        return cls(name, (max(width, _SPAN + _SHARES) + 2, 2), False)

    def look(self, content: Content, *, selected: bool) -> BoxContent:
        """Fill the box."""
        style = ink.CURRENT if content.current else ink.PLAIN if content.made else ink.QUIET
        tint = f" {ink.SELECTED}" if selected else ""
        style = f"{style}{tint}".strip()
        if self.framed:
            border: Border = "heavy" if content.current else "solid" if content.made else "dashed"
            title = f"{_SELECTED}{self.name}" if selected else self.name
            within = isinstance(content, Fold) and content.current
            foot = [(_inside(content.state), style)] if within else []
            facts = [
                [(text, f"{of}{tint}") for text, of in line]
                for line in _facts(content, self.size[0] - 2)
            ]
            return BoxContent(facts, border, style, [(title, style)], foot)
        border = "solid" if content.current else "dashed" if selected else "none"
        lines = [self.name]
        if isinstance(content, Fold):
            lines.append(f"{_sizes(content)} {content.shares}".strip())
        return BoxContent([[(line, style)] for line in lines], border, style)

    @property
    def emptied(self) -> BoxContent:
        """The box where it is not whole in view: half a number is another number."""
        return BoxContent((), "dashed" if self.framed else "none", ink.QUIET)


@kept(1024)
def _name(recording: Recording, node: int, room: int) -> str:
    return ink.fit_name(short_title(recording, node), room).strip()


def _inside(state: State) -> str:
    """Say in a folded scope which of its nodes the last event is about."""
    assert state.focus is not None, "asked where there is one"
    return f"{ink.ARROWS.get(state.phase or '', '▶')} {short_title(state.recording, state.focus)}"


def _facts(content: Content, inner: int) -> Sequence[Line]:
    """The lines in a framed box, `inner` cells wide."""
    if isinstance(content, Fold):
        return [[(text, ink.QUIET)] for text in (_sizes(content), content.shares)]
    return [[(each.fitted(inner), ink.sign(each.x))] for each in content.numbers]


def _sizes(fold: Fold) -> str:
    return f"|grad| {fold.span}" if fold.span else ""
