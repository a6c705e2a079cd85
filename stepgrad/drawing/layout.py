"""Where everything in a drawing of a graph is: boxes, wires and the labels on the wires.

The layout knows the shape of a graph and the sizes of its boxes, but not what is written in them.
Numbers change from step to step; the layout is made once and never moves under the reader.

Coordinates are whole cells: of a terminal, or of a grid on paper.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from stepgrad.drawing.layered import ordering, rows, tracks
from stepgrad.drawing.layered.vertices import Item, Vertex, build

__all__ = ["Box", "Item", "Layout", "Point", "Wire", "lay_out"]

LEAD = 1
"""Cells of wire before the first trunk and after the last, so that joins stay clear of text."""

ARROW = 2
"""Cells after a label: a piece of wire and the arrow head."""

Point = tuple[int, int]
"""A cell of the drawing: column, row."""


class Box(NamedTuple):
    """A place for the content of a node; a shared leaf may have several, each near its users."""

    key: int
    x: int
    y: int
    width: int
    height: int

    @property
    def exit(self) -> Point:
        """The first cell of the wires that leave the box."""
        return self.x + self.width, self.y + (self.height - 1) // 2

    def covers(self, x: int, y: int) -> bool:
        """Whether the cell belongs to the box."""
        return 0 <= x - self.x < self.width and 0 <= y - self.y < self.height


class Wire(NamedTuple):
    """One edge of the graph: the operand that enters the target at a slot.

    `path` runs from the first cell after the source, corner by corner, to the cell of the arrow
    head. The wires of one source share the cells of its trunk. `label` is the first of
    `label_width` cells before the arrow head that belong to this wire alone. Without a source the
    operand is outside the drawing, and the wire is a short open end.
    """

    operand: int
    source: Box | None
    target: Box
    slot: int
    path: tuple[Point, ...]
    label: Point
    label_width: int

    def passes(self, x: int, y: int, *, upright: bool = False) -> bool:
        """Whether the wire runs through the cell; `upright` asks for its vertical parts only."""
        return any(
            min(x0, x1) <= x <= max(x0, x1)
            and min(y0, y1) <= y <= max(y0, y1)
            and (y0 != y1 or not upright)
            for (x0, y0), (x1, y1) in pairwise(self.path)
        )


class Layout(NamedTuple):
    """A drawing without its ink; `width` and `height` in cells."""

    boxes: tuple[Box, ...]
    wires: tuple[Wire, ...]
    width: int
    height: int

    def box_at(self, x: int, y: int) -> Box | None:
        """The box under a cell."""
        return next((box for box in self.boxes if box.covers(x, y)), None)

    def wires_at(self, x: int, y: int) -> tuple[Wire, ...]:
        """The wires that show in a cell: at a crossing the vertical ones, on a trunk all."""
        here = [wire for wire in self.wires if wire.passes(x, y)]
        upright = [wire for wire in here if wire.passes(x, y, upright=True)]
        return tuple(upright or here)

    def boxes_of(self, key: int) -> tuple[Box, ...]:
        """All boxes of a node, from left to right."""
        return tuple(box for box in self.boxes if box.key == key)


def lay_out(items: Sequence[Item]) -> Layout:
    """Lay out the nodes from left to right, operands before the nodes that use them.

    Items come in creation order. Raises ValueError if a key repeats, or if a node comes before
    one of its operands.
    """
    layers = build(items)
    ordering.arrange(layers)
    rows.place(layers)
    draft = _Draft()
    for layer in layers:
        draft.add(layer)
    lowest = [box.y + box.height for box in draft.boxes]
    lowest += [y + 1 for wire in draft.wires for _, y in wire.path]
    height = max(lowest, default=0)
    return Layout(tuple(draft.boxes), tuple(draft.wires), draft.width, height)


_Way = tuple[Box, tuple[Point, ...]]
"""A source and the corners of the way that its result has come so far."""


class _Draft:
    """A drawing that grows to the right, layer by layer."""

    def __init__(self) -> None:
        self.boxes: list[Box] = []
        self.wires: list[Wire] = []
        self.width = 0
        self._layer: Sequence[Vertex] = ()
        self._ways: dict[Vertex, _Way] = {}

    def add(self, layer: Sequence[Vertex]) -> None:
        """Add a layer on the right, and the wires in the gap before it."""
        nets = [(tail.y + tail.exit, [link.end for link in tail.feeds]) for tail in self._layer]
        trunks, columns = tracks.route(nets)
        ways = self._through(trunks)
        items = [vertex.item for vertex in layer if vertex.item is not None]
        room = max((item.label_width for item in items if item.operands), default=-ARROW)
        if self._layer:
            self.width += LEAD + (columns + LEAD if columns else 0)
        self.width += room + ARROW
        right = self.width + max(item.width for item in items)
        for vertex in layer:
            if vertex.item is None:
                self._ways[vertex] = ways[vertex, 0]
            else:
                self._add_box(vertex, vertex.item, right)
                self._add_wires(vertex, vertex.item, room, ways)
        self.width = right
        self._layer = layer

    def _through(self, trunks: Sequence[tracks.Trunk]) -> dict[tuple[Vertex, int], _Way]:
        """Lead every way through the gap to the row at which it enters the next layer."""
        ways: dict[tuple[Vertex, int], _Way] = {}
        for tail, trunk in zip(self._layer, trunks, strict=True):
            source, path = self._ways[tail]
            first, last = self.width + LEAD + trunk.first, self.width + LEAD + trunk.last
            path += ((first, path[-1][1]), (first, trunk.row), (last, trunk.row))
            for link in tail.feeds:
                ways[link.head, link.slot] = source, (*path, (last, link.end))
        return ways

    def _add_box(self, vertex: Vertex, item: Item, right: int) -> None:
        """Put a box at the arrow heads of its layer, or a leaf at the right edge."""
        x = self.width if item.operands else right - item.width
        box = Box(item.key, x, vertex.y, item.width, vertex.height)
        self.boxes.append(box)
        self._ways[vertex] = box, ((x + item.width, vertex.y + vertex.exit),)

    def _add_wires(
        self, vertex: Vertex, item: Item, room: int, ways: Mapping[tuple[Vertex, int], _Way]
    ) -> None:
        """Bring the operands to the entries of the box added last; unknown ones are open ends."""
        for slot, (operand, entry) in enumerate(zip(item.operands, vertex.entries, strict=True)):
            y = vertex.y + entry
            label = self.width - ARROW - room, y
            source, path = ways.get((vertex, slot), (None, (label,)))
            path = _corners((*path, (self.width - 1, y)))
            self.wires.append(Wire(operand, source, self.boxes[-1], slot, path, label, room))


def _corners(points: Sequence[Point]) -> tuple[Point, ...]:
    """Drop the points at which a path does not turn."""
    path: list[Point] = []
    for x, y in points:
        if path and path[-1] == (x, y):
            continue
        if len(path) > 1 and (path[-2][0] == path[-1][0] == x or path[-2][1] == path[-1][1] == y):
            path.pop()
        path.append((x, y))
    return tuple(path)
