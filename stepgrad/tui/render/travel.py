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
    """Write the numbers of the last event on their wires, with a share of the way behind them."""
    for trip in trips(state):
        key = drawing.part.graph.box_of(trip.edge[0])
        for wire in drawing.painter.layout.wires:
            if wire.target.key == key and trip.edge in drawing.bundle(wire).edges:
                text = number(trip.x)
                x, y = place(wire, 1 - share if trip.back else share)
                canvas.write(x - cell_len(text) // 2, y, text, f"reverse {ink.sign(trip.x)}")


def place(wire: Wire, share: float) -> Point:
    """Return the cell of a wire at a share of its length from the operand."""
    lengths = [abs(x - x0) + abs(y - y0) for (x0, y0), (x, y) in pairwise(wire.path)]
    behind = round(share * sum(lengths))
    for (start, end), length in zip(pairwise(wire.path), lengths, strict=True):
        if behind <= length and length:
            (x0, y0), (x, y) = start, end
            return x0 + (x - x0) * behind // length, y0 + (y - y0) * behind // length
        behind -= length
    return wire.path[-1]
