"""The parameters: what training changes, with the course of each."""

from __future__ import annotations

from math import isfinite

from textual.content import Content

from stepgrad.replay.numbers import fitting, number
from stepgrad.replay.state import State
from stepgrad.replay.titles import title
from stepgrad.replay.training import course
from stepgrad.tui.render import ink

COURSE, NUMBER = 12, 11


def parameter_row(state: State, node: int, width: int) -> Content:
    """Return a parameter's row: name, course over all of training, value at this position."""
    recording = state.recording
    value = state.value(node)
    shown = "" if value is None else fitting(number(value), value, NUMBER)
    room = max(width - COURSE - NUMBER - 2, 0)
    name = ink.fit_end(title(recording, node), room)
    spark = sparkline(course(recording, node, COURSE))
    return Content.assemble(
        (name, ink.CURRENT if node == state.focus else ink.PLAIN),
        (f" {spark:<{COURSE}} ", ink.WRITING),
        (f"{shown:>{NUMBER}}", ink.sign(value)),
    ).truncate(width)


def sparkline(values: list[float]) -> str:
    """Draw numbers as heights between the smallest and the largest; what is no number is blank."""
    finite = [value for value in values if isfinite(value)]
    if not finite:
        return " " * len(values)
    low, high = min(finite), max(finite)
    scale = (len(ink.BARS) - 1) / (high - low) if high - low > 0 else 0.0
    if not isfinite(scale):
        scale = 0.0
    return "".join(
        ink.BARS[round((value - low) * scale)] if isfinite(value) else " " for value in values
    )
