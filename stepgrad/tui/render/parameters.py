"""The parameters: what training changes, with a sparkline of each."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from math import isfinite

from textual.content import Content

from stepgrad.numbers import fitting, gradient, number
from stepgrad.recording.kept import kept
from stepgrad.recording.recording import Recording
from stepgrad.replay.session import Session
from stepgrad.replay.telling.titles import title
from stepgrad.replay.training import course, gradient_course, parameters
from stepgrad.tui.render import ink
from stepgrad.tui.render.tape import marker_of

COURSE, NUMBER = 12, 11

ROOMY = 72
"""From this width on, there is room for the gradients as well."""


def parameter_row(session: Session, node: int, width: int) -> Content:
    """Return a parameter's row: marker, name, sparkline over all of training, value at this point.

    If there is room, the gradient follows, with a sparkline over the backward passes.
    """
    state, recording = session.state, session.recording
    current, selected = node == state.focus, node == session.selected
    numbers = _with_course(course(recording, node, COURSE), state.value(node), number)
    if width >= ROOMY:
        gradients = gradient_course(recording, node, COURSE)
        numbers += [("   ∇ ", ink.QUIET), *_with_course(gradients, state.grad(node), gradient)]
    room = max(width - 3 - sum(len(text) for text, _ in numbers), 0)
    names = _names(recording, room)
    name = ink.fit_end(names[node], room)
    style = ink.CURRENT if current else ink.PLAIN
    marker = marker_of(session, current=current, selected=selected)
    row = Content.assemble((f"{marker} ", ink.CURRENT), (name, style), " ", *numbers)
    return (row.stylize(ink.SELECTED) if selected else row).truncate(width)


@kept(4)
def _names(recording: Recording, room: int) -> Mapping[int, str]:
    """The names of all parameters, shortened until they fit."""
    titles = {node: title(recording, node) for node in parameters(recording)}
    return dict(zip(titles, shortened(list(titles.values()), room), strict=True))


def shortened(names: Sequence[str], room: int) -> Sequence[str]:
    """Shorten the scopes in names, all alike: `layer1/w` to `lay1/w`, so that they fit and differ.

    If that is impossible, they stay as they are.
    """
    for letters in (max(map(len, names)), 5, 4, 3, 2, 1):
        short = [_abbreviated(name, letters) for name in names]
        if max(map(len, short)) <= room and len(set(short)) == len(set(names)):
            return short
    return names


def _abbreviated(name: str, letters: int) -> str:
    """Keep the first letters of each scope, and the digits at its end."""
    *scopes, last = name.split("/")
    return "/".join([*(re.sub(r"^(.+?)(\d*)$", _cut(letters), each) for each in scopes), last])


def _cut(letters: int) -> Callable[[re.Match[str]], str]:
    return lambda found: found[1][:letters] + found[2]


def _with_course(
    values: Sequence[float], now: float | None, written: Callable[[float], str]
) -> list[ink.Span]:
    """A sparkline, and the current number."""
    shown = "" if now is None else fitting(written(now), now, NUMBER)
    spark = f"{sparkline(values):<{COURSE}} "
    return [(spark, ink.WRITING), (f"{shown:>{NUMBER}}", ink.sign(now))]


def sparkline(values: Sequence[float]) -> str:
    """Draw numbers as heights between the smallest and the largest; what is not finite is blank."""
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
