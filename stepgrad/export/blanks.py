"""The drawing of a worksheet: names and formulas, with room for the numbers that are asked for."""

from __future__ import annotations

from collections.abc import Sequence

from stepgrad.export.figure import Figure, where
from stepgrad.printable import printable
from stepgrad.replay.graph.contents import Node, Number
from stepgrad.replay.graph.folding import folded_graph
from stepgrad.replay.graph.picture import Edge, Part, Picture, picture
from stepgrad.replay.state import State

ROOM = "_" * 8
"""Where a number is written into a drawing."""


def drawn(state: State, heading: str, *, key: bool) -> Figure:
    """Describe the graph of a position, with every node; without the `key`, its answers are blank.

    Nothing is highlighted.
    """
    graph = folded_graph(state.scene, frozenset())
    solved = picture(state, Part(graph, graph), highlight=False)
    shown = solved if key else _blank(solved)
    return Figure(shown, printable(heading), where(state), "", "", "", ())


def given(node: Node) -> Sequence[str]:
    """Return which numbers of a node a worksheet gives: of a leaf, all but its gradient."""
    return () if node.formula else ("value", "tangent")


def _blank(solved: Picture) -> Picture:
    boxes = [_Blank(box.state, box.index) for box in solved.nodes]
    return Picture(boxes, {box: [*map(_unknown, into)] for box, into in solved.entering.items()})


class _Blank(Node):
    """A node with room for the numbers that are asked for."""

    @property
    def numbers(self) -> Sequence[Number]:
        """The numbers that are given, and room for the others."""
        return [
            number if number.word in given(self) else number._replace(text=ROOM, x=None)
            for number in super().numbers
        ]

    @property
    def exact(self) -> Sequence[tuple[str, float]]:
        """The numbers that are given."""
        return [each for each in super().exact if each[0] in given(self)]


class _Unknown(Edge):
    """An edge with room for its local derivative."""

    @property
    def label(self) -> str:
        """Room for the local derivative."""
        return ROOM[:5]


def _unknown(edge: Edge) -> Edge:
    return _Unknown(edge.operand, edge.out, edge.slot, edge.source, None, "forward")
