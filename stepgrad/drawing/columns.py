"""Where everything is in a drawing of columns, each of whose boxes is wired to the column before.

Unlike `layout`, it fills a given width and height, and it is all wires or none in each gap: where
the boxes of a column are too low for a wire each, the gap is left to signs.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from stepgrad.drawing.layered import tracks
from stepgrad.drawing.layout import ARROW, LEAD, Box, Layout, Wire

MOST_LEAD = 8
"""The most cells that a gap grows by where there is room."""


class Column(NamedTuple):
    """Boxes from top to bottom, all of one size, with `label` cells before them for labels.

    Without `wired`, labels and arrow heads are all there is in the gap before it.
    """

    keys: tuple[int, ...]
    width: int
    height: int
    label: int
    wired: bool = True


def needed(columns: Sequence[Column]) -> int:
    """The width of the columns, an upper bound where wires have to make way for each other."""
    gaps = (_gap(before, after) for before, after in pairwise(columns))
    return sum(column.width for column in columns) + sum(gaps)


def arrange(columns: Sequence[Column], width: int, height: int) -> Layout:
    """Put columns in the middle of an area; what does not fit is to the right of it."""
    rows = [_rows(column, height) for column in columns]
    gaps = [_gap(before, after) for before, after in pairwise(columns)]
    spare = max(0, width - sum(column.width for column in columns) - sum(gaps))
    more = min(MOST_LEAD, spare // len(gaps)) if gaps else 0
    x = (spare - more * len(gaps)) // 2
    boxes: list[list[Box]] = []
    wires: list[Wire] = []
    for place, column in enumerate(columns):
        start = x
        x += gaps[place - 1] + more if place else 0
        boxes.append(
            [
                Box(key, x, y, column.width, column.height)
                for key, y in zip(column.keys, rows[place], strict=True)
            ]
        )
        if place and column.wired:
            wires += _wires(boxes[-2], boxes[-1], start, column.label, height)
        x += column.width
    every = tuple(box for column in boxes for box in column)
    return Layout(every, tuple(wires), width, height)


def _gap(before: Column, after: Column) -> int:
    """The cells between two columns: leads, a trunk for each source and a detour, and labels."""
    if not after.wired:
        return LEAD + after.label + 1
    alone = len(before.keys) == len(after.keys) == 1
    trunks = 0 if alone else 1 if len(before.keys) == 1 else len(before.keys) + 1
    return 2 * LEAD + trunks + after.label + ARROW


def _rows(column: Column, height: int) -> Sequence[int]:
    """The top row of each box, spread evenly."""
    count = len(column.keys)
    return [(2 * place + 1) * height // (2 * count) - column.height // 2 for place in range(count)]


def _wires(
    sources: Sequence[Box], targets: Sequence[Box], start: int, label: int, height: int
) -> Sequence[Wire]:
    """Lead each source to an entry of its own in each target; none if they do not find a way."""
    count = len(sources)
    entries = [[_entry(target, slot, count) for slot in range(count)] for target in targets]
    nets = [
        (source.exit[1], [rows[slot] for rows in entries]) for slot, source in enumerate(sources)
    ]
    trunks, columns = tracks.route(nets)
    room = targets[0].x - start - label - ARROW - 2 * LEAD
    if columns > max(room, 0) or any(trunk.row >= height for trunk in trunks):
        return ()
    wires: list[Wire] = []
    for target, rows in zip(targets, entries, strict=True):
        for slot, (source, trunk) in enumerate(zip(sources, trunks, strict=True)):
            first, last = start + LEAD + trunk.first, start + LEAD + trunk.last
            corners = (
                source.exit,
                (first, source.exit[1]),
                (first, trunk.row),
                (last, trunk.row),
                (last, rows[slot]),
                (target.x - 1, rows[slot]),
            )
            path = tuple(dict.fromkeys(corners))
            at = target.x - ARROW - label, rows[slot]
            wires.append(Wire(source.key, source, target, slot, path, at, label))
    return wires


def _entry(target: Box, slot: int, count: int) -> int:
    """The row at which a wire enters a box: next to each other, in the middle of it."""
    return target.y + (target.height - count) // 2 + slot
