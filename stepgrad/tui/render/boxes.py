"""What is in the boxes of the graph: a node with its numbers, or a folded scope."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len

from stepgrad.recording.recording import Recording
from stepgrad.replay.graph.contents import Content, Fold
from stepgrad.replay.graph.outline import ScopeLine
from stepgrad.replay.state import State
from stepgrad.replay.telling.titles import short_title
from stepgrad.tui.render import ink
from stepgrad.tui.render.painting import Border, BoxContent, Line

_NAME, _SCOPE = 14, 20
_NUMBER = 11
_SPAN, _SHARES = len("|grad| 1e−6…0.033"), len(" 0 22%")


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
    def of_node(cls, recording: Recording, node: int, *, framed: bool) -> GraphBox:
        """Write a node's name as far as there is room."""
        name = ink.fit(short_title(recording, node), _NAME).strip()
        width = cell_len(name)
        return cls(name, (max(width + 4, _NUMBER + 2), 4) if framed else (width + 2, 1), framed)

    @classmethod
    def of_scope(cls, line: ScopeLine, *, framed: bool) -> GraphBox:
        """Write a scope's name as far as there is room, and its number of nodes."""
        scope = ink.fit_end(line.scope, min(cell_len(line.scope), _SCOPE))
        name = f"+ {scope} ×{len(line.nodes):,}"
        width = cell_len(name)
        size = (max(width + 2, _SPAN) + 2, 4) if framed else (max(width, _SPAN + _SHARES) + 2, 2)
        return cls(name, size, framed)

    def look(self, content: Content, *, selected: bool) -> BoxContent:
        """Fill the box."""
        style = ink.CURRENT if content.current else ink.PLAIN if content.made else ink.QUIET
        background = f"{style} {ink.SELECTED}".strip() if selected else style
        if self.framed:
            border: Border = "heavy" if content.current else "solid" if content.made else "dashed"
            title = f"›{self.name}" if selected else self.name
            within = isinstance(content, Fold) and content.current
            foot = [(_inside(content.state), background)] if within else []
            return BoxContent(_facts(content), border, background, [(title, style)], foot)
        border = "solid" if content.current else "dashed" if selected else "none"
        lines = [self.name]
        if isinstance(content, Fold):
            lines.append(f"{_sizes(content)} {content.shares}".strip())
        return BoxContent([[(line, background)] for line in lines], border, style)


def _inside(state: State) -> str:
    """Say in a folded scope which of its nodes the last event is about."""
    assert state.focus is not None, "asked where there is one"
    return f"{ink.ARROWS.get(state.phase or '', '▶')} {short_title(state.recording, state.focus)}"


def _facts(content: Content) -> Sequence[Line]:
    """The lines in a framed box."""
    if isinstance(content, Fold):
        return [[(text, ink.QUIET)] for text in (_sizes(content), content.shares)]
    return [[(each.fitted(_NUMBER), ink.sign(each.x))] for each in content.numbers]


def _sizes(fold: Fold) -> str:
    return f"|grad| {fold.span}" if fold.span else ""
