"""Cutting a drawing that is too wide into rows, which are read like lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from stepgrad.drawing.layout import Box, Layout, Wire


class Window(NamedTuple):
    """A row of a drawing, in cells; `right` and `bottom` are the first outside it."""

    left: int
    top: int
    right: int
    bottom: int


class Crossing(NamedTuple):
    """The wires of one box that a cut goes through at one height, `y`."""

    source: Box
    y: int
    wires: Sequence[Wire]


def windows(layout: Layout, width: int) -> Sequence[Window]:
    """Return the rows of a drawing, at most `width` columns wide where possible.

    A cut goes through wires only, never through a box or a label, and every row has a box.
    """
    cuts = [0, *_cuts(layout, width), layout.width]
    if len(cuts) == 2:
        return [Window(0, 0, layout.width, layout.height)]
    return [Window(left, *_extent(layout, left, right)) for left, right in pairwise(cuts)]


def crossings(layout: Layout, column: int) -> Sequence[Crossing]:
    """Return what a cut to the left of a column goes through, from top to bottom."""
    found: dict[tuple[int, Box], list[Wire]] = {}
    for wire in layout.wires:
        for (x0, y), (x1, _) in pairwise(wire.path):
            if wire.source is not None and x0 < column <= x1:
                found.setdefault((y, wire.source), []).append(wire)
    ordered = sorted(found.items(), key=lambda each: each[0][0])
    return [Crossing(source, y, wires) for (y, source), wires in ordered]


def _cuts(layout: Layout, width: int) -> Iterator[int]:
    spans = [(box.x, box.x + box.width) for box in layout.boxes]
    spans += [(wire.label[0] + 1, wire.target.x) for wire in layout.wires]
    taken = {column for first, last in spans for column in range(first, last + 1)}
    places = {box.x for box in layout.boxes}
    start = 0
    free = [column for column in range(1, max(places, default=0)) if column not in taken]
    for column, following in pairwise([*free, layout.width]):
        if following - start > width and not places.isdisjoint(range(start, column)):
            yield column
            start = column


def _extent(layout: Layout, left: int, right: int) -> tuple[int, int, int]:
    """Return the top, right and bottom of the part between two cuts."""
    inside = [box for box in layout.boxes if left <= box.x < right]
    tops = [box.y for box in inside]
    bottoms = [box.y + box.height for box in inside]
    for wire in layout.wires:
        for (x0, y0), (x1, y1) in pairwise(wire.path):
            if min(x0, x1) < right and max(x0, x1) >= left:
                tops.append(min(y0, y1))
                bottoms.append(max(y0, y1) + 1)
    return min(tops), right, max(bottoms)
