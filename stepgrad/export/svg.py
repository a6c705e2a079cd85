"""A picture as SVG: boxes with name, value and gradient, and wires with their local derivatives.

The drawing is made of cells, as on the screen, but each has a few pixels only. It follows the
reader's light or dark scheme; what a colour says is also said by a glyph, a dash or a line's width.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from math import ceil
from xml.sax.saxutils import escape

from stepgrad.drawing.layout import Item, Layout, Wire, lay_out
from stepgrad.export.folding import Window, windows
from stepgrad.export.picture import BACK, Edge, Picture
from stepgrad.export.svg_parts import (
    CELL_HEIGHT,
    CELL_WIDTH,
    PADDING,
    arrow_head,
    draw_box,
    draw_label,
    draw_text,
    fitted,
    pixels,
    short,
    wire_path,
)
from stepgrad.export.svg_style import LABEL, STYLE, TEXT, TITLE
from stepgrad.replay.quotient import operands_first

ROWS = 5
"""Rows of cells in a box: its middle, where the wire leaves, is that of a row."""

WIDEST = 1600
"""Pixels of a drawing that is not folded: as much as most screens have room for."""

MARGIN, LINE = 24, 20
BORDER = 2
"""Pixels around a row, so that the outlines of its boxes are whole."""

_RANKS = {"waiting": 0, "forward": 1, "backward": 2, "current": 3}


def svg(picture: Picture, width: int = WIDEST, *, key: str = "") -> str:
    """Draw a picture, folded into rows where it would be wider than `width` pixels.

    With a `key` it is a part of a page that has a heading of its own: the drawing then has none,
    and the key sets its marks apart from those of other drawings there.
    """
    picture = _unrolled(picture)
    layout = lay_out(list(_items(picture)))
    rows = windows(layout, (width - 2 * MARGIN) // CELL_WIDTH)
    above, below = [] if key else [*_heading(picture)], [*_legend(picture, len(rows))]
    texts = [(text, TITLE if style == "title" else TEXT) for style, text in above + below]
    graph = max(row.right - row.left for row in rows) * CELL_WIDTH
    wide = max([graph, *(pixels(text, size) for text, size in texts)]) + 2 * MARGIN
    top = MARGIN + (len(above) * LINE + 16 if above else 0)
    bottom = top + sum((row.bottom - row.top) * CELL_HEIGHT + 16 for row in rows)
    height = bottom + len(below) * LINE + MARGIN // 2
    left = (wide - graph) // 2 if len(rows) == 1 else MARGIN
    title, desc = f"title{key}", f"desc{key}"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{height}" '
        f'viewBox="0 0 {wide} {height}" role="img" aria-labelledby="{title} {desc}">',
        f'<title id="{title}">{escape(picture.title)}, {escape(picture.place)}</title>',
        f'<desc id="{desc}">{escape(_description(picture))}</desc>',
        f"<style>{STYLE}</style>",
        f'<rect class="ground" width="{wide}" height="{height}"/>',
        *_texts(above, MARGIN),
        *_graph(_Drawing(picture, layout), rows, left, top, key),
        *_texts(below, bottom),
        "</svg>",
    ]
    return "".join(f"{line}\n" for line in lines)


def _graph(
    drawing: _Drawing, rows: Sequence[Window], left: int, top: int, key: str
) -> Iterator[str]:
    """Yield the boxes and wires: in one piece, or through a window for each row."""
    if len(rows) == 1:
        yield f'<g transform="translate({left} {top})">'
        yield from (*drawing.wires(), *drawing.boxes(), "</g>")
        return
    yield f'<defs><g id="graph{key}">'
    yield from (*drawing.wires(), *drawing.boxes(), "</g></defs>")
    for row in rows:
        x, y = row.left * CELL_WIDTH - BORDER, row.top * CELL_HEIGHT - BORDER
        width = (row.right - row.left) * CELL_WIDTH + 2 * BORDER
        height = (row.bottom - row.top) * CELL_HEIGHT + 2 * BORDER
        yield (
            f'<svg x="{left - BORDER}" y="{top - BORDER}" width="{width}" height="{height}" '
            f'viewBox="{x} {y} {width} {height}"><use href="#graph{key}"/></svg>'
        )
        top += height - 2 * BORDER + 16


def _heading(picture: Picture) -> Iterator[tuple[str, str]]:
    """Yield the lines above the drawing, each with its style."""
    yield "title", picture.title
    yield "quiet", picture.place
    if picture.event:
        yield "event", picture.event
    if picture.effect:
        yield "quiet", picture.effect


def _legend(picture: Picture, rows: int) -> Iterator[tuple[str, str]]:
    stages = {edge.stage for edge in picture.edges}
    shown = {number.glyph for box in picture.boxes for number in box.numbers}
    told = [f"{glyph} {meaning}" for glyph, meaning in _MEANINGS.items() if glyph in shown]
    folded = any(edge.count > 1 for edge in picture.edges)
    told.append(f"on a wire: the local derivative{', or how many edges' if folded else ''}")
    if stages & {"backward", "current"}:
        told.append("◂ walked back over")
    if not all(box.made for box in picture.boxes):
        told.append("dashed: not made yet")
    back = sum(edge.back for edge in picture.edges)
    if back:
        told.append(f"{BACK.strip()} from a box that stands further on")
    if len([*picture.inner_edges]) + back < len(picture.edges):
        told.append("dashed wire: from what is not shown")
    yield "quiet", " · ".join(told)
    if rows > 1:
        yield "quiet", "what leaves a row on the right goes on in the next one, on the left"
    yield from (("quiet", line) for line in picture.limits)


_MEANINGS = {"=": "value", "d": "tangent", "∇": "gradient", "|∇|": "sizes of gradients"}


def _description(picture: Picture) -> str:
    numbers = (
        f"{box.heading}: "
        + ", ".join(
            f"{_MEANINGS.get(number.glyph, number.word)} {number.text}" for number in box.numbers
        )
        + "."
        for box in picture.boxes
        if box.numbers
    )
    return " ".join((picture.sentence, *picture.limits, *numbers))


def _texts(lines: Iterable[tuple[str, str]], top: int) -> Iterator[str]:
    for number, (style, text) in enumerate(lines):
        yield draw_text(MARGIN, top + number * LINE + 14, text, style)


def _unrolled(picture: Picture) -> Picture:
    """Put operands first; what leads back, against the order, comes from no box that there is."""
    entering: dict[int, set[int]] = {box.index: set() for box in picture.boxes}
    for edge in picture.edges:
        entering[edge.out].add(edge.operand)
    place = {box: number for number, box in enumerate(operands_first(entering))}
    edges = (
        replace(edge, operand=~edge.operand, back=True)
        if place.get(edge.operand, -1) > place[edge.out]
        else edge
        for edge in picture.edges
    )
    boxes = sorted(picture.boxes, key=lambda box: place[box.index])
    return replace(picture, boxes=tuple(boxes), edges=tuple(edges))


def _items(picture: Picture) -> Iterator[Item]:
    entering: dict[int, list[Edge]] = {box.index: [] for box in picture.boxes}
    for edge in picture.edges:
        entering[edge.out].append(edge)
    for box in picture.boxes:
        edges = entering[box.index]
        widest = max(
            pixels(fitted(box), TEXT),
            *(pixels(number.text, TEXT) + 24 for number in box.numbers),
            pixels(short(box.scope), LABEL),
        )
        room = max((pixels(edge.label, LABEL) for edge in edges), default=0)
        yield Item(
            box.index,
            tuple(edge.operand for edge in edges),
            max(ceil((widest + 2 * PADDING) / CELL_WIDTH), 9),
            max(ROWS + 2 * bool(box.scope), 2 * len(edges) + 1),
            ceil((room + 24) / CELL_WIDTH),  # the glyph of a walk, and air
        )


class _Drawing:
    """A layout and what is written in it."""

    def __init__(self, picture: Picture, layout: Layout) -> None:
        self.layout = layout
        self._contents = {box.index: box for box in picture.boxes}
        self._slots: dict[int, list[Edge]] = {}
        for edge in picture.edges:
            self._slots.setdefault(edge.out, []).append(edge)

    def wires(self) -> Iterator[str]:
        """Draw net after net, each over a gap in those that it crosses; the labels last."""
        nets: dict[object, list[tuple[Wire, Edge]]] = {}
        for wire in self.layout.wires:
            edge = self._slots[wire.target.key][wire.slot]
            key = wire.source or (wire.target.key, wire.slot)
            nets.setdefault(key, []).append((wire, edge))
        for net in sorted(nets.values(), key=_rank):
            net.sort(key=lambda each: _RANKS[each[1].stage])
            ways = [wire_path(wire) for wire, _ in net]
            yield from (f'<path class="gap" d="{way}"/>' for way in ways)
            for way, (wire, edge) in zip(ways, net, strict=True):
                open_end = " open" if wire.source is None else ""
                yield f'<path class="wire {edge.stage}{open_end}" d="{way}"/>'
                yield arrow_head(wire, edge)
        for net in nets.values():
            for wire, edge in net:
                yield from draw_label(wire, edge)

    def boxes(self) -> Iterator[str]:
        """Draw the boxes."""
        for box in self.layout.boxes:
            yield from draw_box(box, self._contents[box.key])


def _rank(net: Sequence[tuple[Wire, Edge]]) -> int:
    return max(_RANKS[edge.stage] for _, edge in net)
