"""The parameters: what training changes, with a sparkline of each."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from math import isfinite

from rich.cells import cell_len
from textual.content import Content

from stepgrad.numbers import fitting, gradient, number
from stepgrad.recording.kept import kept
from stepgrad.recording.recording import Recording
from stepgrad.replay.graph.contents import Fold
from stepgrad.replay.graph.outline import ScopeLine, without_shape
from stepgrad.replay.graph.summary import span
from stepgrad.replay.matrices import folded_matrices, row_names, values
from stepgrad.replay.session import Session
from stepgrad.replay.training import course, gradient_course
from stepgrad.tui.render import ink
from stepgrad.tui.render.tape import bar, marker_of

COURSES, NUMBER = (12, 9, 6, 4), 11
"""How wide sparklines are: narrower where names need the room."""

ROOMY = 72
"""From this width on, there is room for the gradients as well."""


def parameter_row(session: Session, node: int, width: int) -> Content:
    """Return a parameter's row: marker, name, sparkline over all of training, value at this point.

    If there is room, the gradient follows, with a sparkline over the backward passes.
    """
    state, recording = session.state, session.recording
    current, selected = node == state.focus, node == session.selected
    names, points = _names(recording, width)
    values = course(recording, node, points)
    numbers = _with_course(values, points, state.value(node), number)
    if width >= ROOMY:
        gradients = gradient_course(recording, node, points)
        shown = _with_course(gradients, points, state.grad(node), gradient)
        numbers += [(_GRADIENT, ink.QUIET), *shown]
    name = ink.fit_name(names[node], _room(width, points))
    style = ink.CURRENT if current else ink.PLAIN
    marker = marker_of(session, current=current, selected=selected)
    row = Content.assemble((f"{marker} ", ink.CURRENT), (name, style), " ", *numbers)
    return (row.stylize(ink.SELECTED) if selected else row).truncate(width)


def matrix_row(session: Session, line: ScopeLine, width: int) -> Content:
    """Return the row of a folded matrix: its name, and from which magnitude to which it ranges.

    The largest gradient is a bar; if there is room, their range is before it. Above the elements of
    an open one, the name stands alone.
    """
    if not line.nodes:
        return Content.styled(f" − {ink.fit_name(line.scope, width - 3)}", ink.QUIET).truncate(
            width
        )
    fold = Fold(session.state, line, current=line.holds(session.state.focus))
    selected = line.holds(session.selected)
    told = [(f"{span(values(session.state, line)):>{_SPAN}}", ink.PLAIN)]
    if width >= _WIDE:
        told += [(" ∇", ink.QUIET), (f"{fold.span:>{_SPAN}}", ink.PLAIN)]
    room = max(width - 6 - sum(cell_len(text) for text, _ in told), 0)
    name = line.scope if cell_len(line.scope) <= room else _matrices(session.recording, room)[line]
    row = Content.assemble(
        (marker_of(session, current=fold.current, selected=selected), ink.CURRENT),
        ("+ ", ink.QUIET),
        (ink.fit_name(name, room), ink.CURRENT if fold.current else ink.PLAIN),
        *told,
        (f" {bar(fold.summary.high)} ", ink.PLAIN),
    )
    return (row.stylize(ink.SELECTED) if selected else row).truncate(width)


_SPAN = 12
"""Cells of a range: a blank, and `0.0012…0.81`."""

_WIDE = 48
"""From this width on, there is room for the range of gradients as well."""

_GRADIENT = "   ∇ "


def _room(width: int, points: int) -> int:
    """Return the room for a name in a row with sparklines of this many points."""
    shown = points + 1 + NUMBER
    return max(width - 3 - (2 * shown + len(_GRADIENT) if width >= ROOMY else shown), 0)


@kept(4)
def _names(recording: Recording, width: int) -> tuple[Mapping[int, str], int]:
    """The names of all parameters, shortened until they fit, and the points of sparklines."""
    titles = row_names(recording)
    names: Sequence[str] = [*titles.values()]
    for points in COURSES:
        room = _room(width, points)
        short = alike(names, room)
        if max(map(len, short)) <= room:
            return dict(zip(titles, short, strict=True)), points
    return titles, COURSES[0]


@kept(4)
def _matrices(recording: Recording, room: int) -> Mapping[ScopeLine, str]:
    """The names of all folded matrices without their shapes, shortened until they fit."""
    lines = folded_matrices(recording)
    return dict(zip(lines, alike([without_shape(line.scope) for line in lines], room), strict=True))


def alike(names: Sequence[str], room: int) -> Sequence[str]:
    """Shorten names, all alike, so that they fit and differ: `layer1/w` to `lay1/w`.

    First the scopes in them, then what is named: `l1.weight[0,2]` to `l1.w[0,2]`. If that is
    impossible, they stay as they are.
    """
    indices: dict[str, str] = {}  # the longest of each tensor: a model has few tensors
    for name in names:
        tensor, index = _parted(name)
        indices[tensor] = max(indices.get(tensor, ""), index, key=len)
    for scope, last in _LETTERS:
        short = {each: _abbreviated(each, scope, last) for each in indices}
        longest = max(len(short[each]) + len(index) for each, index in indices.items())
        if longest <= room and len({*short.values()}) == len(short):
            return [f"{short[tensor]}{index}" for tensor, index in map(_parted, names)]
    return names


def _parted(name: str) -> tuple[str, str]:
    """Part a name into that of its tensor and the index of an element."""
    tensor = _INDEX.sub("", name)
    return tensor, name[len(tensor) :]


_WHOLE = 1 << 10
_LETTERS = (
    (_WHOLE, _WHOLE),
    *((letters, _WHOLE) for letters in (5, 4, 3, 2, 1)),
    *((1, letters) for letters in (5, 4, 3, 2, 1)),
)
"""How many letters to keep of scopes, and of what is named, in the order in which that is tried."""

_INDEX = re.compile(r"(?:\[[^]]*\])+$")
_SCOPE = re.compile(r"([^/.[\]]+?)((?:\d|\[[^]]*\])*)(?=[/.])")
_LAST = re.compile(r"([^/.]+?)(\d*)$")


def _abbreviated(name: str, scope: int, last: int) -> str:
    """Keep the first letters of each scope and of what is named, and the digits at their ends."""
    return _LAST.sub(_cut(last), _SCOPE.sub(_cut(scope), name))


def _cut(letters: int) -> Callable[[re.Match[str]], str]:
    return lambda found: found[1][:letters] + found[2]


def _with_course(
    values: Sequence[float], points: int, now: float | None, written: Callable[[float], str]
) -> list[ink.Span]:
    """A sparkline, and the current number."""
    shown = "" if now is None else fitting(written(now), now, NUMBER)
    spark = f"{sparkline(values):<{points}} "
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
