"""The parts of a drawing: a box with its numbers, a wire with its label, a line of text."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from xml.sax.saxutils import escape

from rich.cells import cell_len

from stepgrad.drawing.colours import sign
from stepgrad.drawing.layout import Box, Wire
from stepgrad.export.svg_style import LABEL
from stepgrad.printable import shortened
from stepgrad.replay.graph.contents import Content, Fold
from stepgrad.replay.graph.picture import Edge
from stepgrad.replay.graph.stages import Stage

CELL_WIDTH, CELL_HEIGHT = 8, 12
RADIUS, PADDING = 5, 10
LONGEST = 26
"""The most characters of a box's heading."""

GUTTER = 120
"""Pixels in front of a row for the names of the wires that enter it."""

_NAME = 14
"""The most characters of such a name."""

_TIP, _BAR = 7, 13


def wire_path(wire: Wire) -> str:
    """Return the path of a wire from box to box, with round corners."""
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


def arrow_head(wire: Wire, style: str) -> str:
    """Draw the arrow head of a wire, at the box that it enters."""
    x, y = wire.path[-1]
    right, middle = (x + 1) * CELL_WIDTH, (y + 0.5) * CELL_HEIGHT
    corners = ((right, middle), (right - _TIP, middle - 4), (right - _TIP, middle + 4))
    return f'<path class="tip {style}" d="M{"L".join(map(_at, corners))}Z"/>'


def bar(wire: Wire, style: str) -> str:
    """Draw a bar across a wire that is shut, before its arrow head."""
    x, y = wire.path[-1]
    left, top = (x + 1) * CELL_WIDTH - _TIP - 4, (y + 0.5) * CELL_HEIGHT - _BAR / 2
    return f'<rect class="tip {style}" x="{left:g}" y="{top:g}" width="2.5" height="{_BAR}"/>'


def label_place(wire: Wire) -> _Point:
    """Return the middle of the gap that the label of a wire has."""
    x, y = wire.label
    return (x + wire.label_width / 2) * CELL_WIDTH, (y + 0.5) * CELL_HEIGHT


def draw_label(wire: Wire, edge: Edge) -> Iterator[str]:
    """Draw a label in a gap of its wire, with an arrow for a gradient or a tangent on its way."""
    label = edge.marked_label
    if not label:
        return
    centre, middle = label_place(wire)
    way = edge.direction
    width = pixels(label, LABEL) + 6 + 9 * bool(way)
    left = centre - width / 2
    yield f'<rect class="ground" x="{left:g}" y="{middle - 7:g}" width="{width:g}" height="14"/>'
    if way:
        point, base = (left + 2, left + 8) if way < 0 else (left + 8, left + 2)
        corners = ((point, middle), (base, middle - 3.5), (base, middle + 3.5))
        yield f'<path class="tip {edge.stage}" d="M{"L".join(map(_at, corners))}Z"/>'
    style = "label current" if edge.stage == "current" else f"label {sign(edge.local)}"
    yield draw_text(left + 3 + 9 * bool(way), middle + 4, label, style)


def draw_wire_end(x: float, y: float, stage: Stage, source: Content | None) -> Iterator[str]:
    """Draw the end of a wire at a row break, and the name of the box it comes from, if given."""
    yield f'<circle class="tip {stage}" cx="{x:g}" cy="{y:g}" r="3"/>'
    if source is not None:
        yield draw_text(x - 8, y + 4, _within(source), "label source quiet")


def _within(content: Content) -> str:
    """Return the name of a box with its scope."""
    mark = "+ " if isinstance(content, Fold) else ""
    text = f"{content.scope}/{content.name}" if content.scope else content.name
    return f"{mark}{shortened(text, _NAME)}"


def draw_box(box: Box, content: Content) -> Iterator[str]:
    """Draw a box: scope, name, formula and numbers; its tooltip has all digits."""
    left, top = box.x * CELL_WIDTH, box.y * CELL_HEIGHT
    width, height = box.width * CELL_WIDTH, box.height * CELL_HEIGHT
    style = "focus" if content.current else "made" if content.made else "waiting"
    yield "<g>"
    yield f"<title>{escape(_exact(content))}</title>"
    yield (
        f'<rect class="box {style}" x="{left}" y="{top}" width="{width}" height="{height}" rx="6"/>'
    )
    heading = fitted(content)
    name, _, formula = heading.partition(" = ")
    rest = f'<tspan class="quiet"> = {escape(formula)}</tspan>' if formula else ""
    middle = top + height / 2
    if content.scope:
        yield draw_text(left + PADDING, middle - 22, short(content.scope), "scope quiet")
        middle += 8
    first = middle - 12 if content.numbers else middle + 4
    yield (
        f'<text class="name {style}" x="{left + PADDING}" y="{first:g}">{escape(name)}{rest}</text>'
    )
    for y, (_, glyph, text, x, *_) in zip((middle + 6, middle + 23), content.numbers, strict=False):
        yield draw_text(left + PADDING, y, glyph, "quiet")
        yield draw_text(left + width - PADDING, y, text, f"number {sign(x)}")
    yield "</g>"


def _exact(content: Content) -> str:
    """Return the numbers of a box with all of their digits."""
    scope = f"{content.scope}: " if content.scope else ""
    nothing = "no gradient yet" if content.made else "not computed yet"
    return f"{scope}{content.heading}: {_facts(content) or nothing}"


def _facts(content: Content) -> str:
    if isinstance(content, Fold):
        return ", ".join(f"{number.word} {number.text}" for number in content.numbers)
    return ", ".join(f"{word} {x!r}" for word, x in content.exact)


def fitted(content: Content) -> str:
    """Return the heading of a box, with the formula if there is room for it."""
    if isinstance(content, Fold):
        return f"+ {short(content.name)} ×{content.count:,}"
    for text in (content.heading, content.name):
        if cell_len(text) <= LONGEST:
            return text
    return short(content.name)


def short(name: str) -> str:
    """Cut a name that is too long for a box, but not what tells it from others."""
    return shortened(name, LONGEST)


def pixels(text: str, size: int) -> int:
    """Return the width of a monospace text: a character is about 0.6 times as wide as high."""
    return ceil(cell_len(text) * size * 0.61)


def draw_text(x: float, y: float, text: str, style: str) -> str:
    """Write a line of text."""
    return f'<text class="{style}" x="{x:g}" y="{y:g}">{escape(text)}</text>'


def _at(point: _Point) -> str:
    return f"{point[0]:g} {point[1]:g}"
