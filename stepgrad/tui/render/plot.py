"""A curve of dots over training steps, with the cursor on it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import isfinite, log10

from textual.content import Content

from stepgrad.numbers import number
from stepgrad.replay.training import Loss
from stepgrad.tui.render import ink
from stepgrad.tui.render.braille import Dots

LABEL = 9
"""Cells for the numbers on the left."""

_DECADES = 2.0
"""From this range on, a curve of positive numbers is drawn on a logarithmic scale."""


def loss_curve(
    points: Sequence[Loss], steps: int, here: int | None, width: int, height: int
) -> list[Content]:
    """Draw the loss over `steps` training steps in lines of cells; `here` is the step at hand.

    What is not finite leaves a gap, and at its beginning the word for it: `!nan`, `!inf`. A curve
    over several decades is drawn logarithmically.
    """
    finite = [point for point in points if isfinite(point.value)]
    room = width - LABEL - 1
    if not finite or room < 4 or height < 2:
        return []
    low, high = min(p.value for p in finite), max(p.value for p in finite)
    logarithmic = low > 0 and log10(high / low) >= _DECADES

    def scaled(value: float) -> float:
        return log10(value) if logarithmic else value

    bottom, span = scaled(low), scaled(high) - scaled(low)
    dots = Dots(room, height)
    across, up = 2 * room - 1, 4 * height - 1

    def place(point: Loss) -> tuple[int, int]:
        share = (scaled(point.value) - bottom) / span if span > 0 and isfinite(span) else 0.5
        return dot(point.ordinal), round((1 - share) * up)

    def dot(ordinal: int) -> int:
        return round(ordinal * across / max(steps - 1, 1))

    def column(ordinal: int) -> int:
        return dot(ordinal) // 2

    dots.dot(*place(finite[0]))
    for before, after in pairwise(points):
        if isfinite(before.value) and isfinite(after.value):
            dots.line(place(before), place(after))
    drawn = dots.lines()
    for before, after in pairwise(points):
        if isfinite(before.value) and not isfinite(after.value):
            begin = max(column(after.ordinal), column(before.ordinal) + 1)
            drawn[-1] = _written(drawn[-1], begin, f"!{number(after.value)}")
    cursor = None if here is None else column(here)
    labels = {0: number(high, 4), height - 1: number(low, 4)}
    if logarithmic and height > 2:
        labels[1] = "log"
    return [
        _row(labels.get(y, ""), line, min(cursor, room - 1) if cursor is not None else None)
        for y, line in enumerate(drawn)
    ]


def _written(line: str, column: int, word: str) -> str:
    """Write a word into a line from a column on, or as near to it as there is room."""
    start = max(min(column, len(line) - len(word)), 0)
    return (line[:start] + word + line[start + len(word) :])[: len(line)]


def ordinal_at(x: int, steps: int, width: int) -> int | None:
    """Return which of `steps` steps is drawn in a column of a curve, if any."""
    across = 2 * (width - LABEL - 1) - 1
    share = (2 * (x - LABEL - 1) + 0.5) / max(across, 1)
    return round(share * (steps - 1)) if 0 <= share <= 1 else None


def _row(label: str, line: str, cursor: int | None) -> Content:
    spans: list[ink.Span] = [(f"{label:>{LABEL}} ", ink.QUIET)]
    if cursor is None:
        return ink.line(*spans, (line, ink.WRITING))
    mark = "│" if line[cursor] == " " else "┼"
    return ink.line(
        *spans,
        (line[:cursor], ink.WRITING),
        (mark, ink.CURRENT),
        (line[cursor + 1 :], ink.WRITING),
    )
