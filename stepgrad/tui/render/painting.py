"""Ink for a layout: what is written in the boxes, on the wires, and in which style.

A painter traces the geometry of its layout once. A step of the replay changes texts and styles
only, and asks it for a new canvas.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from rich.cells import cell_len, set_cell_size
from rich.style import StyleType

from stepgrad.tui.render.canvas import EAST, NORTH, SOUTH, WEST, Canvas, Stroke
from stepgrad.tui.render.layout import Box, Layout, Point, Wire

Border = Literal["none", "solid", "dashed", "heavy"]

Line = Sequence[tuple[str, StyleType]]
"""A line of text: stretches, each with its style."""


@dataclass(frozen=True, slots=True)
class BoxContent:
    """What stands in a box: lines from the top, cut at its width, and the border around them.

    A framed box (three rows or more) carries its `title` in the top edge. A slim one has brackets
    at its ends, which hug the text: the wire runs on through the cells that the text leaves free.
    """

    lines: Sequence[Line] = ()
    border: Border = "solid"
    style: StyleType = ""
    title: Line = ()


@dataclass(frozen=True, slots=True)
class WireContent:
    """How a wire looks. Where wires share a trunk, the one of the highest `rank` is seen."""

    label: str = ""
    style: StyleType = ""
    label_style: StyleType | None = None
    heavy: bool = False
    rank: int = 0


@dataclass(frozen=True, slots=True)
class _Frame:
    """The characters of a border, with the brackets of a slim box and the ports of a framed one."""

    corners: str
    level: str
    upright: str
    brackets: str
    ports: str


FRAMES: Mapping[Border, _Frame] = {
    "none": _Frame("    ", " ", " ", "      ", "╶╺"),
    "solid": _Frame("┌┐└┘", "─", "│", "[]┌┐└┘", "├┝"),
    "dashed": _Frame("┌┐└┘", "╌", "╎", "╎╎╎╎╎╎", "├┝"),
    "heavy": _Frame("┏┓┗┛", "━", "┃", "┃┃┏┓┗┛", "┠┣"),
}
"""Brackets are those of one row, then those of two. A port is where the result leaves: by a light
wire, by a heavy one."""


class Painter:
    """Paints a layout, again and again, with different contents."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._strokes = _trace(layout.wires)

    def paint(
        self, content: Callable[[int], BoxContent], wire: Callable[[Wire], WireContent]
    ) -> Canvas:
        """A canvas with the content of each node, by its key, and of each wire."""
        canvas = Canvas(self.layout.width, self.layout.height)
        looks = [wire(each) for each in self.layout.wires]
        order = sorted(range(len(looks)), key=lambda index: looks[index].rank)
        outgoing: dict[Point, WireContent] = {}
        for index in order:
            look = looks[index]
            canvas.trace(self._strokes[index], look.style, heavy=look.heavy)
            outgoing[self.layout.wires[index].path[0]] = look
        for each, look in zip(self.layout.wires, looks, strict=True):
            _paint_entry(canvas, each, look)
        for box in self.layout.boxes:
            paint_box = _paint_framed if box.height > 2 else _paint_slim
            paint_box(canvas, box, content(box.key), outgoing.get(box.exit))
        return canvas


def paint(
        self, content: Callable[[int], BoxContent], wire: Callable[[Wire], WireContent]
    ) -> Canvas:
        """A canvas with the content of each node, by its key, and of each wire."""
        canvas = Canvas(self.layout.width, self.layout.height)
        looks = [wire(each) for each in self.layout.wires]
        order = sorted(range(len(looks)), key=lambda index: looks[index].rank)
        outgoing: dict[Point, WireContent] = {}
        for index in order:
            look = looks[index]
            canvas.trace(self._strokes[index], look.style, heavy=look.heavy)
            outgoing[self.layout.wires[index].path[0]] = look
        for each, look in zip(self.layout.wires, looks, strict=True):
            _finish(canvas, each, look)
        for box in self.layout.boxes:
            exit_ = box.x + box.width, box.y + (box.height - 1) // 2
            (_paint_slim if box.height <= 2 else _paint_framed)(
                canvas, box, content(box.key), outgoing.get(exit_)
            )
        return canvas


def paint(
    layout: Layout, content: Callable[[int], BoxContent], wire: Callable[[Wire], WireContent]
) -> Canvas:
    """Paint a layout once; keep a `Painter` to paint it again."""
    return Painter(layout).paint(content, wire)


def _trace(wires: Sequence[Wire]) -> list[list[Stroke]]:
    """The cells of each wire that are seen: where wires cross, the upright one passes over."""
    traces = [_strokes(wire.path) for wire in wires]
    upright: dict[Point, Point] = {
        (x, y): wire.path[0]
        for wire, strokes in zip(wires, traces, strict=True)
        for x, y, arms in strokes
        if arms & (NORTH | SOUTH)
    }
    return [
        [
            (x, y, arms)
            for x, y, arms in strokes
            if upright.get((x, y), wire.path[0]) == wire.path[0]
        ]
        for wire, strokes in zip(wires, traces, strict=True)
    ]


def _strokes(path: Sequence[Point]) -> list[Stroke]:
    """The cells of a path with the arms in which it leaves each of them."""
    strokes: list[Stroke] = []
    back = WEST
    for (x, y), (to_x, to_y) in pairwise(path):
        if y == to_y:
            ahead, behind, dx, dy = EAST, WEST, 1, 0
        else:
            down = to_y > y
            ahead, behind = (SOUTH, NORTH) if down else (NORTH, SOUTH)
            dx, dy = 0, 1 if down else -1
        while (x, y) != (to_x, to_y):
            strokes.append((x, y, back | ahead))
            x, y, back = x + dx, y + dy, behind
    strokes.append((*path[-1], back | EAST))
    return strokes


def _paint_entry(canvas: Canvas, wire: Wire, look: WireContent) -> None:
    """Write what only this wire has: its label, its arrow head, and the dashes of an open end."""
    (start, _), (tip, y) = wire.path[0], wire.path[-1]
    if wire.source is None:
        canvas.write(start, y, ("┅" if look.heavy else "┄") * (tip - start), look.style)
    canvas.write(tip, y, "▶", look.style)
    if look.label:
        padded = f" {look.label} "
        label = padded if cell_len(padded) <= wire.label_width else look.label
        [(label, style)] = fitted([(label, look.label_style or look.style)], wire.label_width)
        x, y = wire.label
        canvas.write(x + (wire.label_width - cell_len(label)) // 2, y, label, style)


def _paint_framed(
    canvas: Canvas, box: Box, content: BoxContent, outgoing: WireContent | None
) -> None:
    """Write the lines between the edges of a box, and the title into the upper one."""
    frame, inner = FRAMES[content.border], box.width - 2
    left, right, bottom = box.x, box.x + box.width - 1, box.y + box.height - 1
    edges = ((box.y, *frame.corners[:2]), (bottom, *frame.corners[2:]))
    for y, first, last in edges:
        canvas.write(left, y, first + frame.level * inner + last, content.style)
    _write(canvas, left + 1, box.y, fitted(content.title, inner))
    for row in range(box.height - 2):
        y = box.y + 1 + row
        line = content.lines[row] if row < len(content.lines) else ()
        canvas.write(left, y, frame.upright + " " * inner + frame.upright, content.style)
        _write(canvas, left + 1, y, fitted(line, inner))
    if outgoing is not None:
        canvas.write(right, box.exit[1], frame.ports[outgoing.heavy], content.style)


def _paint_slim(
    canvas: Canvas, box: Box, content: BoxContent, outgoing: WireContent | None
) -> None:
    """Write the lines between brackets that hug them, and let the wire run on to the text."""
    brackets = FRAMES[content.border].brackets
    brackets = brackets[:2] if box.height == 1 else brackets[2:]
    lines = [fitted(line, box.width - 2) for line in content.lines[: box.height]]
    inner = max((_width(line) for line in lines), default=0)
    right = box.x + 1 + inner
    for row in range(box.height):
        y = box.y + row
        canvas.write(box.x, y, brackets[2 * row], content.style)
        if row < len(lines):
            _write(canvas, box.x + 1, y, lines[row])
        canvas.write(right, y, brackets[2 * row + 1], content.style)
    if outgoing is not None:
        end, y = box.exit
        run = [(x, y, EAST | WEST) for x in range(right + 1, end)]
        canvas.trace(run, outgoing.style, heavy=outgoing.heavy)


def _width(line: Line) -> int:
    return sum(cell_len(text) for text, _ in line)


def _write(canvas: Canvas, x: int, y: int, line: Line) -> None:
    for text, style in line:
        canvas.write(x, y, text, style)
        x += cell_len(text)


def fitted(line: Line, width: int) -> Line:
    """The line, cut to a width in cells, with `…` in the last of them if it was cut."""
    if _width(line) <= width:
        return line
    room, cut = width - 1, []
    for text, style in line:
        if cell_len(text) > room:
            cut.append((set_cell_size(text, room) + "…", style))
            break
        cut.append((text, style))
        room -= cell_len(text)
    return cut
