"""A picture as SVG: boxes with name, value and gradient, and wires with their local derivatives.

The drawing is made of cells, as on the screen, but each is only a few pixels large. It follows the
reader's light or dark scheme; what a colour says is also said by a glyph, a dash or a line's width.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import ceil
from xml.sax.saxutils import escape

from stepgrad.drawing.layout import Item, Layout, Wire, lay_out
from stepgrad.export.figure import Figure
from stepgrad.export.folding import Crossing, crossings, windows
from stepgrad.export.legend import description, legend
from stepgrad.export.svg_parts import (
    CELL_HEIGHT,
    CELL_WIDTH,
    GUTTER,
    PADDING,
    arrow_head,
    bar,
    draw_box,
    draw_label,
    draw_text,
    draw_wire_end,
    fitted,
    pixels,
    short,
    wire_path,
)
from stepgrad.export.svg_style import LABEL, STYLE, TEXT, TITLE
from stepgrad.replay.graph.contents import Content
from stepgrad.replay.graph.picture import Edge, Picture
from stepgrad.replay.graph.stages import STAGES

ROWS = 5
"""Rows of cells in a box. It is odd: the wire leaves from the middle of a row."""

WIDEST = 1600
"""The width of a drawing before it is folded into rows, in pixels: most screens are as wide."""

MARGIN, LINE, GAP = 24, 20, 16
"""Pixels around a drawing, of a line of text, and between rows."""

BORDER = 4
"""Pixels around a row, so that outlines and the ends of wires are whole."""


def svg(figure: Figure, width: int = WIDEST) -> str:
    """Draw a figure with its title and legend, folded into rows of at most `width` pixels."""
    sheet = _Sheet(figure, width - 2 * MARGIN)
    above, below = [*_heading(figure)], [("quiet", text) for text in sheet.legend()]
    texts = [(text, TITLE if style == "title" else TEXT) for style, text in above + below]
    wide = max([sheet.width, *(pixels(text, size) for text, size in texts)]) + 2 * MARGIN
    top = MARGIN + len(above) * LINE + GAP
    bottom = top + sum(height + GAP for height in sheet.heights)
    rows = []
    for number, height in enumerate(sheet.heights):
        rows += [*sheet.row(number, MARGIN, top)]
        top += height + GAP
    height = bottom + len(below) * LINE + MARGIN // 2
    return _lines(
        *_opening(wide, height, figure, ""),
        *_texts(above, MARGIN),
        *sheet.definitions(),
        *rows,
        *_texts(below, bottom),
        "</svg>",
    )


def part_of_page(figure: Figure, width: int, key: str) -> str:
    """Draw a figure as a part of a page: a drawing for each row, and a caption.

    A page breaks between the rows. The key sets the marks apart from those of other figures.
    """
    sheet, drawings = _Sheet(figure, width - 2 * BORDER, key), []
    for number, high in enumerate(sheet.heights):
        inner = [*sheet.row(number, BORDER, BORDER), "</svg>"]
        size = sheet.width + 2 * BORDER, high + 2 * BORDER
        if number == 0:
            drawings += [*_opening(*size, figure, key), *sheet.definitions(), *inner]
        else:
            drawings += [f'{_element(*size)} aria-hidden="true">', _ground(*size), *inner]
    caption = "<br>\n".join(map(escape, sheet.legend()))
    return _lines("<figure>", *drawings, f"<figcaption>{caption}</figcaption>", "</figure>")


def _lines(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)


def _element(width: int, height: int) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" preserveAspectRatio="xMinYMin"'
    )


def _opening(width: int, height: int, figure: Figure, key: str) -> Iterator[str]:
    """Yield the beginning of a drawing: its description, its style and its background."""
    title, desc = f"title{key}", f"desc{key}"
    yield f'{_element(width, height)} role="img" aria-labelledby="{title} {desc}">'
    yield f'<title id="{title}">{escape(figure.title)}, {escape(figure.place)}</title>'
    yield f'<desc id="{desc}">{escape(description(figure))}</desc>'
    yield f"<style>{STYLE}</style>"
    yield _ground(width, height)


def _ground(width: int, height: int) -> str:
    return f'<rect class="ground" width="{width}" height="{height}"/>'


class _Sheet:
    """A figure in rows of at most `width` pixels; a row names the wires that enter from above."""

    def __init__(self, figure: Figure, width: int, key: str = "") -> None:
        self._figure = figure
        self._key = key
        layout = lay_out(list(_items(figure.picture)))
        whole = layout.width * CELL_WIDTH <= width
        self._rows = windows(layout, (width if whole else width - GUTTER) // CELL_WIDTH)
        self._drawing = _Drawing(figure.picture, layout)
        self._breaks = [crossings(layout, row.left) for row in self._rows[1:]]
        first, *others = ((row.right - row.left) * CELL_WIDTH for row in self._rows)
        self.width = max(first, *(each + GUTTER for each in others), 0)
        self.heights = [(row.bottom - row.top) * CELL_HEIGHT for row in self._rows]

    def legend(self) -> Iterator[str]:
        """Yield the lines that explain the symbols of the drawing."""
        return legend(self._figure, len(self._rows))

    def definitions(self) -> Iterator[str]:
        """Yield the whole drawing, for rows to show parts of; nothing where it is one row."""
        if len(self._rows) > 1:
            yield f'<defs><g id="graph{self._key}">'
            yield from (*self._drawing.wires(), *self._drawing.boxes(), "</g></defs>")

    def row(self, number: int, left: int, top: int) -> Iterator[str]:
        """Yield a row, with its upper left corner at a place."""
        if len(self._rows) == 1:
            yield f'<g transform="translate({left} {top})">'
            yield from (*self._drawing.wires(), *self._drawing.boxes(), "</g>")
            return
        row = self._rows[number]
        left += GUTTER * bool(number)
        x, y = row.left * CELL_WIDTH - BORDER, row.top * CELL_HEIGHT - BORDER
        width = (row.right - row.left) * CELL_WIDTH + 2 * BORDER
        height = (row.bottom - row.top) * CELL_HEIGHT + 2 * BORDER
        yield (
            f'<svg x="{left - BORDER}" y="{top - BORDER}" width="{width}" height="{height}" '
            f'viewBox="{x} {y} {width} {height}"><use href="#graph{self._key}"/></svg>'
        )
        ends = [(left, self._breaks[number - 1])] if number else []
        if number < len(self._breaks):
            ends.append((left + (row.right - row.left) * CELL_WIDTH, self._breaks[number]))
        for end, cut in ends:
            for crossing in cut:
                middle = top + (crossing.y - row.top + 0.5) * CELL_HEIGHT
                yield from self._drawing.wire_end(crossing, end, middle, named=end == left)


def _heading(figure: Figure) -> Iterator[tuple[str, str]]:
    """Yield the lines above the drawing, each with its style."""
    yield "title", figure.title
    yield "quiet", figure.place
    if figure.event:
        yield "event", figure.event
    if figure.effect:
        yield "quiet", figure.effect


def _texts(lines: Iterable[tuple[str, str]], top: int) -> Iterator[str]:
    for number, (style, text) in enumerate(lines):
        yield draw_text(MARGIN, top + number * LINE + 14, text, style)


def _items(picture: Picture) -> Iterator[Item]:
    for box in picture.boxes:
        edges = picture.entering[box.index]
        numbers = (number.text for number in box.numbers)
        yield item(box, edges, numbers, (edge.marked_label for edge in edges))


def item(
    box: Content, edges: Sequence[Edge], numbers: Iterable[str], labels: Iterable[str]
) -> Item:
    """Return a box to lay out, with room for each of the numbers in it and the labels before it."""
    widest = max(
        pixels(fitted(box), TEXT),
        *(pixels(number, TEXT) + 24 for number in numbers),
        pixels(short(box.scope), LABEL),
    )
    room = max((pixels(label, LABEL) for label in labels), default=0)
    return Item(
        box.index,
        tuple(edge.source for edge in edges),
        max(ceil((widest + 2 * PADDING) / CELL_WIDTH), 9),
        max(ROWS + 2 * bool(box.scope), 2 * len(edges) + 1),
        ceil((room + 24) / CELL_WIDTH),  # the arrow before the label, and air
    )


class _Drawing:
    """A layout with its content."""

    def __init__(self, picture: Picture, layout: Layout) -> None:
        self.layout = layout
        self._contents = {box.index: box for box in picture.boxes}
        self._entering = picture.entering

    def wires(self) -> Iterator[str]:
        """Draw net after net, each over gaps in the wires it crosses; labels come last."""
        nets: dict[object, list[tuple[Wire, Edge]]] = {}
        for wire in self.layout.wires:
            edge = self._entering[wire.target.key][wire.slot]
            key = wire.source or (wire.target.key, wire.slot)
            nets.setdefault(key, []).append((wire, edge))
        for net in sorted(nets.values(), key=_rank):
            net.sort(key=lambda each: STAGES.index(each[1].stage))
            ways = [wire_path(wire) for wire, _ in net]
            yield from (f'<path class="gap" d="{way}"/>' for way in ways)
            for way, (wire, edge) in zip(ways, net, strict=True):
                open_end = " open" if wire.source is None else ""
                yield f'<path class="wire {edge.stage}{open_end}" d="{way}"/>'
                yield arrow_head(wire, edge.stage)
                if edge.shut:
                    yield bar(wire, edge.stage)
        for net in nets.values():
            for wire, edge in net:
                yield from draw_label(wire, edge)

    def wire_end(self, crossing: Crossing, x: float, y: float, *, named: bool) -> Iterator[str]:
        """Draw a place where a wire leaves a row, or enters one and is `named`."""
        edges = [self._entering[wire.target.key][wire.slot] for wire in crossing.wires]
        stage = max((edge.stage for edge in edges), key=STAGES.index)
        content = self._contents[crossing.source.key] if named else None
        yield from draw_wire_end(x, y, stage, content)

    def boxes(self) -> Iterator[str]:
        """Draw the boxes."""
        for box in self.layout.boxes:
            yield from draw_box(box, self._contents[box.key])


def _rank(net: Sequence[tuple[Wire, Edge]]) -> int:
    return max(STAGES.index(edge.stage) for _, edge in net)
