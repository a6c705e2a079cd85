"""The tape: a row for each node, in the order in which they are made."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite, log10

from textual.content import Content

from stepgrad.recording.recording import Recording
from stepgrad.replay.numbers import fitting, gradient, number
from stepgrad.replay.session import Session, enclosing
from stepgrad.replay.state import State
from stepgrad.replay.stops import NodeStop
from stepgrad.replay.titles import short_title
from stepgrad.tui.render import ink

NUMBER = 11
"""Cells of a number's column: the longest that `number` writes for six digits."""


@dataclass(frozen=True, slots=True)
class ScopeLine:
    """A line of the tape that is no node: the head of a scope, or all of a folded one's `nodes`."""

    scope: str
    nodes: tuple[int, ...] = ()


Line = int | ScopeLine


@lru_cache(maxsize=8)
def tape_lines(
    recording: Recording, scene: Sequence[int], folded: frozenset[str] = frozenset()
) -> tuple[Line, ...]:
    """Return what the lines of the tape are: nodes, each scope before its first one.

    A folded scope is one line, where its first node would stand.
    """
    lines: list[Line] = []
    inside: dict[str, list[int]] = {}
    last = ""
    for node in scene:
        scope = recording.node(node).place.scope
        hidden = next((each for each in enclosing(scope) if each in folded), None)
        if hidden is not None:
            if hidden not in inside:
                lines.append(ScopeLine(hidden))
            inside.setdefault(hidden, []).append(node)
            last = ""
            continue
        if scope != last:
            lines.append(ScopeLine(scope or "·"))
            last = scope
        lines.append(node)
    return tuple(
        ScopeLine(line.scope, tuple(inside[line.scope]))
        if isinstance(line, ScopeLine) and line.scope in inside
        else line
        for line in lines
    )


def line_of(lines: Sequence[Line], node: int | None) -> int | None:
    """Return the number of the line that shows a node, or the folded scope it is in."""
    shows = (line == node or (isinstance(line, ScopeLine) and node in line.nodes) for line in lines)
    return next((place for place, shown in enumerate(shows) if shown), None)


def scope_row(state: State, line: ScopeLine, width: int) -> Content:
    """Return the line above the nodes of a scope; of a folded one, what is in it.

    That is how many nodes, the range of their gradients' magnitudes, and how many are exactly 0.
    """
    if not line.nodes:
        return Content.styled(ink.fit(f"  {line.scope}", width), ink.QUIET)
    grads = [abs(grad) for node in line.nodes if (grad := state.grad(node)) is not None]
    sizes = [grad for grad in grads if grad == grad]
    zeros, broken = sizes.count(0), len(grads) - len(sizes)
    said = f"{len(line.nodes)} nodes"
    if sizes:
        said += f"  |∂| {number(min(sizes))} … {number(max(sizes))}"
    said += f"  {zeros} zero" if zeros else ""
    said += f"  {broken} !nan" if broken else ""
    row = ink.line(("+ ", ink.CURRENT), (f"{line.scope}  ", ""), (said, ink.QUIET))
    return row.truncate(width, ellipsis=True)


def tape_row(session: Session, node: int, width: int) -> Content:
    """Return a node's row: stop, marker, name, value, gradient, magnitude.

    A node that is not made yet is there already, dim and without numbers.
    """
    state = session.state
    value, grad = state.value(node), state.grad(node)
    room = width - 2 * NUMBER - 5
    current = node == state.focus
    selected = node == session.selected
    marker = ink.ARROWS.get(state.phase or "", "▶") if current else "›" if selected else " "
    stops = (each for each in session.stops if isinstance(each, NodeStop))
    stop = any(each.covers(state.recording, node) for each in stops)
    name_style = ink.CURRENT if current else ink.QUIET if value is None else ink.PLAIN
    indent = "  " if state.node(node).place.scope else ""
    name = ink.fit(indent + short_title(state.recording, node), room)
    shown = "" if value is None else fitting(number(value), value, NUMBER)
    paid = "" if value is None else fitting(gradient_text(state, node, grad), grad, NUMBER)
    row = Content.assemble(
        (marker, ink.CURRENT),
        (ink.STOP if stop else " ", ink.HALT),
        (name, name_style),
        (f"{shown:>{NUMBER}}", ink.sign(value)),
        (f"{paid:>{NUMBER}}", ink.sign(grad)),
        (f" {bar(grad)} ", ink.sign(grad)),
    ).truncate(width)
    return row.stylize(ink.SELECTED) if selected else row


def gradient_text(state: State, node: int, grad: float | None) -> str:
    """A gradient, or why there is none: `–` not reached yet, `∅` never reached."""
    if grad is None and state.never_reached(node):
        return "∅"
    return gradient(grad)


def bar(grad: float | None) -> str:
    """The magnitude of a gradient: a height for each power of ten, from 10⁻⁵ or less to 10² up."""
    if not grad or not isfinite(grad):
        return " "
    height = round(log10(abs(grad))) + 5
    return ink.BARS[max(0, min(height, len(ink.BARS) - 1))]
