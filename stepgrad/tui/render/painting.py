"""Ink for a layout: what is written in the boxes and on the wires, and in which style.

A painter traces the geometry of its layout once. A step of the replay changes only texts and
styles, and asks the painter for a new canvas.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from stepgrad.drawing.layout import Box, Layout, Point, Wire
from stepgrad.tui.render.canvas import EAST, NORTH, SOUTH, WEST, Canvas, Stroke, cells_of, cut

Border = Literal["none", "solid", "dashed", "heavy"]

Line = Sequence[tuple[str, str]]
"""A line of text: stretches, each with its style."""


class BoxContent(NamedTuple):
    """What is in a box: lines from the top, cut at its width, and the border around them.

    A framed box (three rows or more) carries its `title` in the top edge and its `foot` in the
    bottom one. A slim one has brackets that hug the text: the wire runs on through the cells that
    the text leaves free.
    """

    lines: Sequence[Line] = ()
    border: Border = "solid"
    style: str = ""
    title: Line = ()
    foot: Line = ()


class WireContent(NamedTuple):
    """How a wire looks. Where wires share a trunk, the one with the highest `rank` shows.

    The label has a blank before it if there is room, so that a minus sign is not lost in the wire,
    and then one after it. `label_style` is `style` unless given. A wire that is `shut` has a bar
    across it.
    """

    label: str = ""
    style: str = ""
    label_style: str | None = None
    heavy: bool = False
    rank: int = 0
    shut: bool = False


class _Frame(NamedTuple):
    """The characters of a border.

    `brackets` are the ends of a slim box: two for one row, then four for two rows. `ports` are
    where the result leaves a framed box: by a light wire, by a heavy one.
    """

    corners: str
    level: str
    upright: str
    brackets: str
    ports: str


_FRAMES: Mapping[Border, _Frame] = {
    "none": _Frame("    ", " ", " ", "  ╷ ╵ ", "─━"),
    "solid": _Frame("┌┐└┘", "─", "│", "[]┌┐└┘", "├┝"),
    "dashed": _Frame("┌┐└┘", "╌", "╎", "╎╎╎╎╎╎", "├┝"),
    "heavy": _Frame("┏┓┗┛", "━", "┃", "┃┃┏┓┗┛", "┠┣"),
}


class Painter:
    """Paints one layout, again and again, with different contents."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._traces = _traces(layout.wires)

    def paint(
        self, content: Callable[[Box], BoxContent], wire: Callable[[Wire], WireContent]
    ) -> Canvas:
        """A canvas with the content of every box and of every wire."""
        canvas = Canvas(self.layout.width, self.layout.height)
        inked = [
            (each, trace, wire(each))
            for each, trace in zip(self.layout.wires, self._traces, strict=True)
        ]
        inked.sort(key=lambda entry: entry[2].rank)
        leaving: dict[Point, WireContent] = {}
        for each, trace, look in inked:
            canvas.trace(trace, look.style, heavy=look.heavy)
            leaving[each.path[0]] = look
        for each, _, look in inked:
            _paint_entry(canvas, each, look)
        for box in self.layout.boxes:
            paint_box(canvas, box, content(box), leaving.get(box.exit))
        return canvas


def paint_box(
    canvas: Canvas, box: Box, content: BoxContent, leaving: WireContent | None = None
) -> None:
    """Write a box, and lead up to it the wire that leaves it."""
    (_paint_framed if box.height > 2 else _paint_slim)(canvas, box, content, leaving)


def fitted(line: Line, width: int) -> Line:
    """The line, cut to a width in cells, with `…` at its end if it was cut."""
    if width_of(line) <= width:
        return line
    if width <= 0:
        return ()
    room = width - 1
    kept: list[tuple[str, str]] = []
    for text, style in line:
        cells = cells_of(text)
        if len(cells) > room:
            kept.append(("".join(cut(cells, 0, room)) + "…", style))
            break
        kept.append((text, style))
        room -= len(cells)
    return kept


def _traces(wires: Sequence[Wire]) -> list[list[Stroke]]:
    """The visible cells of each wire: where wires cross, the vertical one passes over the other.

    Wires from one source start in the same cell and form a net: they join, and never cross.
    """
    upright: dict[Point, Point] = {
        (x, y): wire.path[0]
        for wire in wires
        for (x, start), (_, end) in pairwise(wire.path)
        if start != end
        for y in range(min(start, end), max(start, end) + 1)
    }
    whole = [(wire.path[0], _strokes(wire.path)) for wire in wires]
    return [
        [(x, y, arms) for x, y, arms in strokes if upright.get((x, y), net) == net]
        for net, strokes in whole
    ]


def _strokes(path: Sequence[Point]) -> list[Stroke]:
    """The cells of a path, each with the arms towards the cells before and after it."""
    strokes: list[Stroke] = []
    behind = WEST
    for (x, y), (end_x, end_y) in pairwise(path):
        if y == end_y:
            cells = [(column, y) for column in range(x, end_x)]
            ahead, back = EAST, WEST
        elif y < end_y:
            cells = [(x, row) for row in range(y, end_y)]
            ahead, back = SOUTH, NORTH
        else:
            cells = [(x, row) for row in range(y, end_y, -1)]
            ahead, back = NORTH, SOUTH
        strokes.append((x, y, behind | ahead))
        strokes += [(column, row, back | ahead) for column, row in cells[1:]]
        behind = back
    strokes.append((*path[-1], behind | EAST))
    return strokes


def _paint_entry(canvas: Canvas, wire: Wire, look: WireContent) -> None:
    """Write what belongs to this wire alone: label, arrow head, and dashes of an open end."""
    (start, _), (tip, y) = wire.path[0], wire.path[-1]
    if wire.source is None:
        canvas.write(start, y, ("┅" if look.heavy else "┄") * (tip - start), look.style)
    canvas.write(tip, y, "▶", look.style)
    if look.label:
        spare = wire.label_width - len(cells_of(look.label))
        text = f"{' ' * (spare > 0)}{look.label}{' ' * (spare > 1)}"
        style = look.style if look.label_style is None else look.label_style
        label = fitted([(text, style)], wire.label_width)
        write(canvas, wire.label[0] + (wire.label_width - width_of(label)) // 2, y, label)
    if look.shut:
        canvas.write(tip - 1, y, "┿" if look.heavy else "┼", look.style)


def _paint_framed(
    canvas: Canvas, box: Box, content: BoxContent, leaving: WireContent | None
) -> None:
    """Write the lines of a box between its edges, and the title and the foot on the edges."""
    frame, inner = _FRAMES[content.border], box.width - 2
    edge = frame.level * inner
    bottom = box.y + box.height - 1
    canvas.write(box.x, box.y, f"{frame.corners[0]}{edge}{frame.corners[1]}", content.style)
    canvas.write(box.x, bottom, f"{frame.corners[2]}{edge}{frame.corners[3]}", content.style)
    write(canvas, box.x + 1, box.y, fitted(content.title, inner))
    write(canvas, box.x + 1, bottom, fitted(content.foot, inner))
    for row in range(box.height - 2):
        y = box.y + 1 + row
        canvas.write(box.x, y, f"{frame.upright}{' ' * inner}{frame.upright}", content.style)
        if row < len(content.lines):
            write(canvas, box.x + 1, y, fitted(content.lines[row], inner))
    if leaving is not None:
        x, y = box.exit
        canvas.write(x - 1, y, frame.ports[leaving.heavy], content.style)


def _paint_slim(canvas: Canvas, box: Box, content: BoxContent, leaving: WireContent | None) -> None:
    """Write the lines between brackets that hug them, and lead the wire up to the text."""
    brackets = _FRAMES[content.border].brackets
    brackets = brackets[:2] if box.height == 1 else brackets[2:]
    lines = [fitted(line, box.width - 2) for line in content.lines[: box.height]]
    inner = max((width_of(line) for line in lines), default=0)
    right = box.x + 1 + inner
    for row in range(box.height):
        y = box.y + row
        canvas.write(box.x, y, brackets[2 * row], content.style)
        canvas.write(right, y, brackets[2 * row + 1], content.style)
        if row < len(lines):
            write(canvas, box.x + 1, y, lines[row])
    if leaving is not None:
        end, y = box.exit
        gap = [(x, y, EAST | WEST) for x in range(right + 1, end)]
        canvas.trace(gap, leaving.style, heavy=leaving.heavy)


def width_of(line: Line) -> int:
    """The cells that a line takes."""
    return sum(len(cells_of(text)) for text, _ in line)


def write(canvas: Canvas, x: int, y: int, line: Line) -> None:
    """Write a line over what is there, from a cell to the right."""
    for text, style in line:
        canvas.write(x, y, text, style)
        x += len(cells_of(text))
