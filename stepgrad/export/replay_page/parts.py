"""What changes on the page as a whole, and what each such part is like at a position."""

from __future__ import annotations

from typing import Literal, NamedTuple

from stepgrad.drawing.colours import sign
from stepgrad.numbers import read_back
from stepgrad.printable import printable
from stepgrad.replay.graph.contents import Content, Node, Number, content_of
from stepgrad.replay.graph.picture import Edge, Part, edge_at
from stepgrad.replay.graph.stages import Stages
from stepgrad.replay.state import State


class Key(NamedTuple):
    """Which part: a node, a folded scope by its first node, or an edge by its box and number.

    The heading of the tape is a part, too: it names the column of derivatives.
    """

    kind: Literal["heading", "node", "scope", "edge"]
    box: int = 0
    number: int = 0


class Look(NamedTuple):
    """Words for the style of a part, and its texts, each followed by a word for its own style."""

    style: str
    texts: tuple[str, ...]


class Lens:
    """A position of a recording, and what is drawn of the graph there."""

    def __init__(self, state: State, drawn: Part) -> None:
        self.state = state
        self._drawn = drawn
        self._stages = Stages(state)

    def look(self, key: Key) -> Look:
        """Return what a part is like."""
        match key:
            case Key("node", node):
                return _content(Node(self.state, node, node == self.state.focus))
            case Key("scope", box):
                return _content(self.box(box))
            case Key("edge"):
                return _edge(self.edge(key))
        return Look("", ("tangent" if self.state.seeds else "gradient", ""))

    def box(self, index: int) -> Content:
        """Return a box of the graph."""
        graph, focus = self._drawn.graph, self.state.focus
        current = focus is not None and graph.box_of(focus) == index
        return content_of(self.state, graph, index, current)

    def edge(self, key: Key) -> Edge:
        """Return an edge of the graph."""
        bundle = self._drawn.entering[key.box][key.number]
        return edge_at(self.state, self._stages, self._drawn, key.box, bundle)


def _content(content: Content) -> Look:
    """Two numbers, the glyphs before them, and the digits that they lack."""
    style = "current" if content.current else "made" if content.made else "waiting"
    shown = [*content.numbers, _NO_NUMBER, _NO_NUMBER][:2]
    texts = [text for each in shown for text in (printable(each.text), sign(each.x))]
    glyphs = [text for each in shown for text in (each.glyph, "")]
    exact = ", ".join(filter(None, map(_exact, shown)))
    return Look(style, (*texts, *glyphs, exact, ""))


_NO_NUMBER = Number("", "", "", None)


def _exact(number: Number) -> str:
    """A number with all of its digits; empty if its text has them."""
    if number.x is None or number.x != number.x or read_back(number.x) == number.x:
        return ""
    return f"{number.word} {number.x!r}"


def _edge(edge: Edge) -> Look:
    """The local derivative, behind an arrow if a derivative has passed."""
    way = {-1: "◂", 1: "▸", 0: ""}[edge.direction] if edge.label else ""
    shut = " shut" if edge.shut else ""
    return Look(f"{edge.stage}{shut}", (f"{way}{edge.marked_label}", sign(edge.local)))
