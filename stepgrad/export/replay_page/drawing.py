"""The graph of a training step, drawn once: the page fills its parts as the replay goes on.

It has room for every number that comes. Each part has its number (`data-part`), and so have the
places for its texts (`data-slot`). What is waiting is drawn as if it were there: styles hide it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from stepgrad.drawing.layout import Box, Wire, lay_out
from stepgrad.export.replay_page.parts import Key
from stepgrad.export.replay_page.views import View
from stepgrad.export.svg import item
from stepgrad.export.svg_parts import (
    CELL_HEIGHT,
    CELL_WIDTH,
    PADDING,
    arrow_head,
    bar,
    draw_text,
    fitted,
    label_place,
    short,
    wire_path,
)

BORDER = 6
"""Pixels around the drawing, so that outlines are whole."""


class Room:
    """Which texts parts of the same name ever show: with it, all steps are laid out alike."""

    def __init__(self, views: Sequence[View]) -> None:
        self._texts: dict[tuple[str, ...], set[str]] = {}
        for view in views:
            for box, key in view.boxes.items():
                for each in (key, *view.edges(box)):
                    history = view.histories[view.numbers[each]]
                    texts = (text for moment in history for text in moment.look.texts[:4:2])
                    self._texts.setdefault(_name(view, each), set()).update(texts)

    def of(self, view: View, key: Key) -> set[str]:
        """Return the texts of a part of a step, and of those like it in other steps."""
        return self._texts[_name(view, key)]


def _name(view: View, key: Key) -> tuple[str, ...]:
    """What a part is called in every step: nodes are numbered differently in each."""
    content = view.last.box(key.box)
    number = (str(key.number),) if key.kind == "edge" else ()
    return content.scope, content.heading, *number


def graph(view: View, room: Room) -> Iterator[str]:
    """Yield the lines of a drawing."""
    items = [
        item(
            view.last.box(box),
            [view.last.edge(key) for key in view.edges(box)],
            room.of(view, part),
            [text for key in view.edges(box) for text in room.of(view, key)],
        )
        for box, part in view.boxes.items()
    ]
    layout = lay_out(items)
    size = layout.width * CELL_WIDTH + 2 * BORDER, layout.height * CELL_HEIGHT + 2 * BORDER
    yield (
        f'<svg width="{size[0]}" height="{size[1]}" '
        f'viewBox="{-BORDER} {-BORDER} {size[0]} {size[1]}" role="img" aria-label="the graph; '
        f'the tape has its numbers, and the sentence says what happens">'
    )
    yield from _wires(view, layout.wires)
    for box in layout.boxes:
        yield from _box(view, box)
    yield "</svg>"


def _wires(view: View, wires: Sequence[Wire]) -> Iterator[str]:
    """Draw net after net, each over gaps in the wires that it crosses; labels come last."""
    nets: dict[object, list[Wire]] = {}
    for wire in wires:
        nets.setdefault(wire.source or (wire.target.key, wire.slot), []).append(wire)
    for net in nets.values():
        ways = [wire_path(wire) for wire in net]
        yield "".join(f'<path class="gap" d="{way}"/>' for way in ways)
        yield "<g>"
        for way, wire in zip(ways, net, strict=True):
            open_end = " open" if wire.source is None else ""
            yield (
                f'<g class="edge" data-part="{_number(view, wire)}">'
                f'<path class="wire{open_end}" d="{way}"/>'
                f"{arrow_head(wire, '')}{bar(wire, 'bar')}</g>"
            )
        yield "</g>"
    for wire in wires:
        x, y = label_place(wire)
        yield (
            f'<g class="label" data-part="{_number(view, wire)}">'
            f'<text data-slot="0" x="{x:g}" y="{y + 4:g}"></text></g>'
        )


def _number(view: View, wire: Wire) -> int:
    return view.numbers[Key("edge", wire.target.key, wire.slot)]


def _box(view: View, box: Box) -> Iterator[str]:
    """Draw a box: scope, name, formula, and places for a value and a derivative."""
    content = view.last.box(box.key)
    left, top = box.x * CELL_WIDTH, box.y * CELL_HEIGHT
    width, height = box.width * CELL_WIDTH, box.height * CELL_HEIGHT
    middle = top + height / 2 + 8 * bool(content.scope)
    yield f'<g class="box" data-part="{view.numbers[view.boxes[box.key]]}">'
    yield '<title data-slot="4"></title>'
    yield f'<rect x="{left}" y="{top}" width="{width}" height="{height}" rx="6"/>'
    if content.scope:
        yield draw_text(left + PADDING, middle - 30, short(content.scope), "scope")
    name, _, formula = fitted(content).partition(" = ")
    rest = f"<tspan> = {escape(formula)}</tspan>" if formula else ""
    yield f'<text class="name" x="{left + PADDING}" y="{middle - 12:g}">{escape(name)}{rest}</text>'
    for slot, y in enumerate((middle + 6, middle + 23)):
        yield f'<text class="glyph" data-slot="{slot + 2}" x="{left + PADDING}" y="{y:g}"></text>'
        right = left + width - PADDING
        yield f'<text class="number" data-slot="{slot}" x="{right}" y="{y:g}"></text>'
    yield "</g>"
