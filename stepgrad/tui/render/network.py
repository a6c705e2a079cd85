"""The graph panel as a network: a box for each neuron, a column for each layer.

The richest form that fits is taken: frames and wires with their weights and gradients, then fewer
labels, then signs for wires, then lines for boxes. It depends on the network's size alone, so that
nothing moves from event to event. What still does not fit is counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from stepgrad.drawing.columns import Column, arrange, needed
from stepgrad.drawing.layout import Layout, Wire
from stepgrad.recording.kept import kept
from stepgrad.replay.graph.network.picture import Network, Neuron
from stepgrad.tui.render import ink
from stepgrad.tui.render.canvas import Canvas, cells_of
from stepgrad.tui.render.forms import BOTH, FORMS, FRAME, TARGET, Form, Kind, Shown, name_in
from stepgrad.tui.render.neurons import (
    SIGNS,
    Box,
    aim,
    derivatives,
    details,
    label,
    legend,
    page,
    result,
    sign_of,
    signs,
    values,
    wire_look,
)
from stepgrad.tui.render.painting import (
    Border,
    BoxContent,
    Line,
    Painter,
    WireContent,
    fitted,
    width_of,
    write,
)

LEAST = 6
"""The fewest rows that a network asks for."""


@dataclass(frozen=True, slots=True)
class NetworkDrawing:
    """A painted network: `nodes` are those behind its boxes and wires, by what the layout has."""

    canvas: Canvas
    layout: Layout
    title: str
    boxes: Mapping[int, int]
    weights: Mapping[tuple[int, int], int]

    def node_at(self, x: int, y: int) -> int | None:
        """The node of the box under a cell, or the weight of the wire there."""
        box, wires = self.layout.box_at(x, y), self.layout.wires_at(x, y)
        if box is not None:
            return self.boxes[box.key]
        return self.weights.get((wires[0].target.key, wires[0].slot)) if len(wires) == 1 else None


def rows_in(shown: Network, room: int) -> int:
    """Return how many of the rows that there is room for a network makes use of.

    They are those of framed boxes or, where these are too high, of a line for each neuron; and one
    for the weights of a neuron.
    """
    tallest = max(map(len, (shown.inputs, *shown.layers)))
    framed = FRAME * tallest
    return min(room, framed + 1 if framed <= room else max(tallest + 1, LEAST))


def draw_network(
    shown: Network, width: int, height: int, selected: int | None = None, secret: int | None = None
) -> NetworkDrawing:
    """Paint a network into an area of this size, without what is to be predicted about a node."""
    return _Drawing(shown, max(width, 1), max(height, 1), selected, secret).paint()


class _Drawing:
    """One network in an area, with what is chosen for it."""

    def __init__(
        self, shown: Network, width: int, height: int, selected: int | None, secret: int | None
    ) -> None:
        self._network, self._width, self._selected = shown, width, selected
        self._secret = secret
        self._chosen = shown.neuron(selected)
        self._subject = self._chosen or next((n for n in shown.neurons if n.current), None)
        tallest = max(map(len, (shown.inputs, *shown.layers)))
        self._details = height > 2 and (height % FRAME > 0 or tallest * FRAME != height)
        self._cut = tallest > height - self._details > 1  # a line below counts the rest
        self._height = height - self._details - self._cut
        self._columns = [self._column(kind, boxes) for kind, boxes in _columns(shown)]
        self._form, self._at = self._fit(tallest)

    def _fit(self, tallest: int) -> tuple[Form, range]:
        """Choose the richest form that fits, and of the poorest, the columns around the subject."""
        for form in FORMS:
            if form.framed and tallest * FRAME > self._height:
                continue
            if needed(self._places(form, range(len(self._columns)))) <= self._width:
                return form, range(len(self._columns))
        form, loss = FORMS[-1], self._network.loss
        first = self._subject.slot.layer + 1 if self._subject else 0
        first = last = len(self._columns) - 1 if loss is not None and loss.current else first
        while True:
            wider = [range(first, last + 2), range(first - 1, last + 1)]
            fits = (
                each
                for each in wider
                if each.start >= 0
                and each.stop <= len(self._columns)
                and needed(self._places(form, each)) <= self._width
            )
            found = next(fits, None)
            if found is None:
                return form, range(first, last + 1)
            first, last = found.start, found.stop - 1

    def _column(self, kind: Kind, boxes: Sequence[Box]) -> Shown:
        """Take as much of a layer as fits: the page with what is selected or current."""
        room = self._height
        if len(boxes) <= room:
            return Shown(kind, boxes, 0, len(boxes))
        known = {self._selected, self._network.state.focus}
        if self._subject is not None:
            known.add(self._subject.index)
        at = next((place for place, box in enumerate(boxes) if box.index in known), 0)
        first = at // room * room
        return Shown(kind, boxes[first : first + room], first, len(boxes))

    def _places(self, form: Form, which: range) -> tuple[Column, ...]:
        columns: list[Column] = []
        for number in which:
            shown = self._columns[number]
            before = self._columns[number - 1] if number > which.start else None
            height = self._box_height(form, shown, before)
            wired = form.wired and before is not None and len(before.boxes) <= height
            label = form.label if wired else 0 if before is None else min(before.whole, SIGNS)
            if shown.kind == "loss":
                label = min(max(form.label, 0), TARGET if self._network.targets else 0)
            keys = tuple(number << 16 | place for place in range(len(shown.boxes)))
            name = self._name_width(number, framed=form.framed, sums=form.sums)
            columns.append(Column(keys, form.width(shown.kind, name), height, label, wired))
        return tuple(columns)

    @kept(64)
    def _name_width(self, number: int, *, framed: bool, sums: bool) -> int:
        form = Form(framed, 0, 0, sums)
        return max(
            (len(cells_of(name_in(form, box))) for box in self._columns[number].boxes), default=0
        )

    def _box_height(self, form: Form, shown: Shown, before: Shown | None) -> int:
        if not form.framed:
            return 1
        wanted = max(FRAME, 0 if before is None else len(before.boxes))
        return min(wanted, max(self._height // len(shown.boxes), FRAME))

    def paint(self) -> NetworkDrawing:
        """Paint boxes, wires and labels, and below them the weights of one neuron."""
        painter = _painter(
            self._places(self._form, self._at), self._width, self._height, self._cut + self._details
        )
        layout = painter.layout
        boxes = {box.key: self._box(box.key) for box in layout.boxes}
        shown = (box for box in boxes.values() if isinstance(box, Neuron))
        largest = max((abs(w.weight.value or 0) for each in shown for w in page(each)), default=0)
        weights: dict[tuple[int, int], int] = {}

        def wire(each: Wire) -> WireContent:
            target = boxes[each.target.key]
            if not isinstance(target, Neuron):
                return WireContent("", ink.PLAIN if target.made else ink.QUIET)
            weighted = target.weighted(each.slot)
            weights[each.target.key, each.slot] = weighted.weight.index
            return wire_look(weighted, largest)

        canvas = painter.paint(lambda box: self._content(boxes[box.key]), wire)
        for each in layout.wires:
            self._label(canvas, each, boxes[each.target.key], largest)
        self._signs(canvas, layout, boxes, largest)
        self._count_rest(canvas, layout)
        if self._details:
            write(canvas, 0, self._height + self._cut, fitted(self._below, self._width))
        nodes = {key: box.index for key, box in boxes.items()}
        return NetworkDrawing(canvas, layout, self._title, nodes, weights)

    @property
    def _below(self) -> Line:
        """The weights of one neuron; without one, what is shown."""
        if self._subject is not None:
            return details(self._subject, self._width)
        edited = self._network.before is not None
        return legend(self._width, wired=self._form.wired, sums=self._form.sums, edited=edited)

    @property
    def _title(self) -> str:
        """The network's title, with the columns that are out of view."""
        left, right = self._at.start, len(self._columns) - self._at.stop
        hidden = " · ".join([f"← {left}"] * (left > 0) + [f"{right} →"] * (right > 0))
        title = f"{self._network.title}{'  ' if hidden else ''}{hidden}"
        if self._details or self._form.label >= BOTH or self._subject is None:
            return title
        told = (text for text, _ in details(self._subject, self._width - len(title) - 2))
        return f"{title}  {''.join(told)}"

    def _box(self, key: int) -> Box:
        return self._columns[key >> 16].boxes[key & 0xFFFF]

    def _content(self, box: Box) -> BoxContent:
        """Fill a box: a frame with values and gradients below each other, or one line."""
        form, made = self._form, result(box).made
        style = ink.CURRENT if box.current else ink.PLAIN if made else ink.QUIET
        chosen = box is self._chosen or box.index == self._selected
        background = f"{style} {ink.SELECTED}".strip() if chosen else style
        if not form.framed:
            border: Border = "solid" if box.current else "dashed" if chosen else "none"
            spans = [(f"{name_in(form, box)} ", style)]
            if made:
                spans += values(box, form.digits, sums=form.sums)
                if box is not self._network.loss:
                    spans += [(" ", ""), *derivatives(box, form.digits, sums=False)]
            tint = f" {ink.SELECTED}" * chosen
            return BoxContent([[(text, f"{of}{tint}") for text, of in spans]], border, style)
        border = "heavy" if box.current else "solid" if made else "dashed"
        title = f"›{name_in(form, box)}" if chosen else name_in(form, box)
        shut = isinstance(box, Neuron) and box.shut and box.index != self._secret
        foot = [("shut", style)] if shut else []
        lines = [
            [("  ", ""), *values(box, form.digits, sums=form.sums)],
            derivatives(box, form.digits, sums=form.sums, shut=shut),
        ]
        return BoxContent(lines if made else [], border, background, [(title, style)], foot)

    def _label(self, canvas: Canvas, wire: Wire, target: Box, largest: float) -> None:
        """Write a weight, with its gradient if there is room; before the loss, a target.

        Without any room, the sign of a weight is right before the arrow head.
        """
        room, (tip, row) = wire.label_width, wire.path[-1]
        if isinstance(target, Neuron) and not room:
            write(canvas, tip - 2, row, [(" ", ""), sign_of(target.weighted(wire.slot), largest)])
            return
        if isinstance(target, Neuron):
            line = label(target.weighted(wire.slot), both=room >= BOTH)
        elif wire.slot < len(self._network.targets) and self._network.targets[wire.slot].made:
            line = aim(self._network.targets[wire.slot], room)
        else:
            return
        line = fitted(line, room)
        x, y = wire.label
        write(canvas, x + (room - width_of(line)) // 2, y, line)

    def _signs(
        self, canvas: Canvas, layout: Layout, boxes: Mapping[int, Box], largest: float
    ) -> None:
        """Where there are no wires, write the sign of each weight before its neuron."""
        wired = {wire.target.key for wire in layout.wires}
        for box in layout.boxes:
            neuron, first = boxes[box.key], box.key >> 16 == self._at.start
            if isinstance(neuron, Neuron) and box.key not in wired and not first:
                line = signs(neuron, largest)
                x, y = box.x - 1, box.exit[1]
                canvas.write(x, y, "▶", ink.QUIET)
                write(canvas, x - width_of(line), y, line)

    def _count_rest(self, canvas: Canvas, layout: Layout) -> None:
        """Below the part of a layer that fits, count the rest."""
        for number in self._at:
            shown = self._columns[number]
            if len(shown.boxes) == shown.whole:
                continue
            box = next(each for each in layout.boxes if each.key >> 16 == number)
            above, below = shown.first, shown.whole - shown.first - len(shown.boxes)
            parts = [f"↑ {above}" if above else "", f"↓ {below}" if below else ""]
            canvas.write(box.x + 1, self._height, " ".join(filter(None, parts)), ink.QUIET)


@lru_cache(maxsize=32)
def _painter(columns: tuple[Column, ...], width: int, height: int, below: int) -> Painter:
    layout = arrange(columns, width, height)
    return Painter(layout._replace(height=height + below))


def _columns(shown: Network) -> Iterator[tuple[Kind, Sequence[Box]]]:
    yield "input", shown.inputs
    for layer in shown.layers:
        yield "linear" if all(neuron.linear for neuron in layer) else "neuron", layer
    if shown.loss is not None:
        yield "loss", [shown.loss]
