"""A number on its way along the wires of the graph: what an event carries, and where to."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from rich.cells import cell_len

from stepgrad.drawing.layout import Point, Wire
from stepgrad.numbers import number
from stepgrad.recording.events import Accumulate, Op
from stepgrad.replay.graph.folding import Slot
from stepgrad.replay.state import State
from stepgrad.tui.render import ink
from stepgrad.tui.render.canvas import Canvas
from stepgrad.tui.render.graph import Drawing


class Trip(NamedTuple):
    """A number that an event carries along an edge: from its operand on, or `back` to it."""

    edge: Slot
    x: float
    back: bool


def trips(state: State) -> Iterator[Trip]:
    """Yield what the last event carries: a contribution, or the values that a node is made of."""
    if not state.position:
        return
    match state.recording.events[state.position - 1]:
        case Accumulate(out=out, slot=slot, contribution=x):
            yield Trip((out, slot), x, back=True)
        case Op(node=node, operands=operands):
            for slot, operand in enumerate(operands):
                if (value := state.value(operand)) is not None:
                    yield Trip((node, slot), value, back=False)


def carry(canvas: Canvas, drawing: Drawing, state: State, share: float) -> None:
    """Write the numbers of the last event on their wires, with a share of the way behind them.

    The labels of these wires make way: two numbers beside each other read like a third.
    """
    for trip in trips(state):
        key = drawing.part.graph.box_of(trip.edge[0])
        text = f" {number(trip.x)} "
        for wire in drawing.painter.layout.wires:
            if wire.target.key == key and trip.edge in drawing.bundle(wire).edges:
                spot = place(wire, 1 - share if trip.back else share, cell_len(text))
                if spot is not None:
                    canvas.write(*wire.label, "━" * wire.label_width, ink.CURRENT)
                    canvas.write(*spot, text, f"bold {ink.sign(trip.x)}")


def place(wire: Wire, share: float, width: int) -> Point | None:
    """Return where a text begins that is on a wire, at a share of its length from the operand.

    It is on a level part of the wire that has room for it, or nowhere.
    """
    levels = [(x0, x, y0) for (x0, y0), (x, y) in pairwise(wire.path) if y0 == y and x - x0 > width]
    behind = share * sum(x - x0 for x0, x, _ in levels)
    for x0, x, y in levels:
        if behind <= x - x0:
            return min(max(round(x0 + behind - width / 2), x0), x - width), y
        behind -= x - x0
    return None
