"""A picture as SVG: boxes with name, value and gradient, and wires with their local derivatives.

The drawing is made of cells, as on the screen, but each has a few pixels only. It follows the
reader's light or dark scheme; what a colour says is also said by a glyph, a dash or a line's width.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import ceil
from xml.sax.saxutils import escape

from rich.cells import cell_len, set_cell_size

from stepgrad.drawing.layout import Box, Item, Layout, Wire, lay_out
from stepgrad.export.folding import Window, windows
from stepgrad.export.picture import Edge, Node, Picture, sign
from stepgrad.export.svg_style import LABEL, STYLE, TEXT, TITLE

CELL_WIDTH, CELL_HEIGHT = 8, 12
ROWS = 5
"""Rows of cells in a box: its middle, where the wire leaves, is that of a row."""

WIDEST = 1600
"""Pixels of a drawing that is not folded: as much as most screens have room for."""

MARGIN, LINE, RADIUS, PADDING = 24, 20, 5, 10
BORDER = 2
"""Pixels around a row, so that the outlines of its boxes are whole."""

LONGEST = 26
"""Characters of a box's heading; more are cut."""

_TIP = 7
_RANKS = {"waiting": 0, "forward": 1, "backward": 2, "current": 3}


def svg(picture: Picture, width: int = WIDEST, *, key: str = "") -> str:
    """Draw a picture, folded into rows where it would be wider than `width` pixels.

    With a `key` it is a part of a page that has a heading of its own: the drawing then has none,
    and the key sets its marks apart from those of other drawings there.
    """
    layout = lay_out(list(_items(picture)))
    rows = windows(layout, (width - 2 * MARGIN) // CELL_WIDTH)
    above, below = [] if key else [*_heading(picture)], [*_legend(picture, len(rows))]
    texts = [(text, TITLE if style == "title" else TEXT) for style, text in above + below]
    graph = max(row.right - row.left for row in rows) * CELL_WIDTH
    wide = max([graph, *(_wide(text, size) for text, size in texts)]) + 2 * MARGIN
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
    shown = {number.glyph for node in picture.nodes for number in node.numbers}
    told = [f"{glyph} {meaning}" for glyph, meaning in _MEANINGS.items() if glyph in shown]
    told.append("on a wire: the local derivative")
    if stages & {"backward", "current"}:
        told.append("◂ walked back over")
    if any(node.value is None for node in picture.nodes):
        told.append("dashed: not made yet")
    if len([*picture.inner_edges]) < len(picture.edges):
        told.append("dashed wire: from a node that is not shown")
    yield "quiet", " · ".join(told)
    if rows > 1:
        yield "quiet", "what leaves a row on the right goes on in the next one, on the left"
    if picture.limits:
        yield "quiet", picture.limits


_MEANINGS = {"=": "value", "d": "tangent", "∂": "gradient"}


def _description(picture: Picture) -> str:
    numbers = (
        f"{node.heading}: "
        + ", ".join(f"{_MEANINGS[number.glyph]} {number.text}" for number in node.numbers)
        + "."
        for node in picture.nodes
        if node.numbers
    )
    return " ".join((picture.sentence, picture.limits, *numbers))


def _texts(lines: Iterable[tuple[str, str]], top: int) -> Iterator[str]:
    for number, (style, text) in enumerate(lines):
        yield _text(MARGIN, top + number * LINE + 14, text, style)


def _items(picture: Picture) -> Iterator[Item]:
    labels: dict[int, list[str]] = {node.index: [] for node in picture.nodes}
    for edge in picture.edges:
        labels[edge.out].append(edge.label)
    for node in picture.nodes:
        widest = max(
            _wide(_fitted(node), TEXT),
            *(_wide(number.text, TEXT) + 24 for number in node.numbers),
            _wide(_short(node.scope), LABEL),
        )
        room = max((_wide(text, LABEL) for text in labels[node.index]), default=0)
        yield Item(
            node.index,
            node.operands,
            max(ceil((widest + 2 * PADDING) / CELL_WIDTH), 9),
            max(ROWS + 2 * bool(node.scope), 2 * len(node.operands) + 1),
            ceil((room + 24) / CELL_WIDTH),  # the glyph of a walk, and air
        )


class _Drawing:
    """A layout and what is written in it."""

    def __init__(self, picture: Picture, layout: Layout) -> None:
        self.layout = layout
        self._nodes = {node.index: node for node in picture.nodes}
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
            ways = [_way(wire) for wire, _ in net]
            yield from (f'<path class="gap" d="{way}"/>' for way in ways)
            for way, (wire, edge) in zip(ways, net, strict=True):
                open_end = " open" if wire.source is None else ""
                yield f'<path class="wire {edge.stage}{open_end}" d="{way}"/>'
                yield _tip(wire, edge)
        for net in nets.values():
            for wire, edge in net:
                yield from _label(wire, edge)

    def boxes(self) -> Iterator[str]:
        """Draw the boxes."""
        for box in self.layout.boxes:
            yield from _box(box, self._nodes[box.key])


def _rank(net: Sequence[tuple[Wire, Edge]]) -> int:
    return max(_RANKS[edge.stage] for _, edge in net)


def _way(wire: Wire) -> str:
    """Return the path of a wire: from box to box, with round corners."""
    points = [((x + 0.5) * CELL_WIDTH, (y + 0.5) * CELL_HEIGHT) for x, y in wire.path]
    (first, start), (last, end) = wire.path[0], wire.path[-1]
    points = [
        (first * CELL_WIDTH, (start + 0.5) * CELL_HEIGHT),
        *points[1:-1],
        ((last + 1) * CELL_WIDTH - _TIP, (end + 0.5) * CELL_HEIGHT),
    ]
    drawn = [f"M{_at(points[0])}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        drawn.append(
            f"L{_at(_towards(corner, before))}Q{_at(corner)} {_at(_towards(corner, after))}"
        )
    drawn.append(f"L{_at(points[-1])}")
    return "".join(drawn)


_Point = tuple[float, float]


def _towards(corner: _Point, other: _Point) -> _Point:
    """Return the point near a corner where its curve begins or ends."""
    (x, y), (dx, dy) = corner, (other[0] - corner[0], other[1] - corner[1])
    length = abs(dx) + abs(dy)  # one of them is 0
    share = min(RADIUS, length / 2) / length if length else 0
    return x + dx * share, y + dy * share


def _tip(wire: Wire, edge: Edge) -> str:
    x, y = wire.path[-1]
    right, middle = (x + 1) * CELL_WIDTH, (y + 0.5) * CELL_HEIGHT
    corners = ((right, middle), (right - _TIP, middle - 4), (right - _TIP, middle + 4))
    return f'<path class="tip {edge.stage}" d="M{"L".join(map(_at, corners))}Z"/>'


def _label(wire: Wire, edge: Edge) -> Iterator[str]:
    """Draw a local derivative, in a gap of its wire; a glyph in front tells of the way back."""
    if not edge.label:
        return
    x, y = wire.label
    middle, centre = (y + 0.5) * CELL_HEIGHT, (x + wire.label_width / 2) * CELL_WIDTH
    back = edge.stage in ("backward", "current")
    width = _wide(edge.label, LABEL) + 6 + 9 * back
    left = centre - width / 2
    yield f'<rect class="ground" x="{left:g}" y="{middle - 7:g}" width="{width:g}" height="14"/>'
    if back:
        corners = ((left + 2, middle), (left + 8, middle - 3.5), (left + 8, middle + 3.5))
        yield f'<path class="tip {edge.stage}" d="M{"L".join(map(_at, corners))}Z"/>'
    style = "label current" if edge.stage == "current" else f"label {sign(edge.local)}"
    yield _text(left + 3 + 9 * back, middle + 4, edge.label, style)


def _box(box: Box, node: Node) -> Iterator[str]:
    left, top = box.x * CELL_WIDTH, box.y * CELL_HEIGHT
    width, height = box.width * CELL_WIDTH, box.height * CELL_HEIGHT
    style = "focus" if node.focus else "waiting" if node.value is None else "made"
    yield "<g>"
    yield f"<title>{escape(_exact(node))}</title>"
    yield (
        f'<rect class="box {style}" x="{left}" y="{top}" width="{width}" height="{height}" rx="6"/>'
    )
    heading = _fitted(node)
    name, _, formula = heading.partition(" = ")
    rest = f'<tspan class="quiet"> = {escape(formula)}</tspan>' if formula else ""
    middle = top + height / 2
    if node.scope:
        yield _text(left + PADDING, middle - 22, _short(node.scope), "scope quiet")
        middle += 8
    first = middle - 12 if node.value is not None else middle + 4
    yield (
        f'<text class="name {style}" x="{left + PADDING}" y="{first:g}">{escape(name)}{rest}</text>'
    )
    for y, (_, glyph, text, x) in zip((middle + 6, middle + 23), node.numbers, strict=False):
        yield _text(left + PADDING, y, glyph, "quiet")
        yield _text(left + width - PADDING, y, text, f"number {sign(x)}")
    yield "</g>"


def _exact(node: Node) -> str:
    """Say all digits of a node's numbers, for who points at it."""
    numbers = (
        f"{word} {x!r}"
        for word, x in (("value", node.value), ("tangent", node.tangent), ("gradient", node.grad))
        if x is not None
    )
    scope = f"{node.scope}: " if node.scope else ""
    return f"{scope}{node.heading}: {', '.join(numbers) or 'not made yet'}"


def _fitted(node: Node) -> str:
    """Return what stands at the top of a box: the formula too, where there is room for it."""
    for text in (node.heading, node.name):
        if cell_len(text) <= LONGEST:
            return text
    return _short(node.name)


def _short(text: str) -> str:
    """Cut a text where it is too long for a box."""
    if cell_len(text) <= LONGEST:
        return text
    return f"{set_cell_size(text, LONGEST - 1).rstrip()}…"


def _wide(text: str, size: int) -> int:
    """Pixels of a text: a character of a monospace font is about 0.6 of its height wide."""
    return ceil(cell_len(text) * size * 0.61)


def _text(x: float, y: float, text: str, style: str) -> str:
    return f'<text class="{style}" x="{x:g}" y="{y:g}">{escape(text)}</text>'


def _at(point: _Point) -> str:
    return f"{point[0]:g} {point[1]:g}"
