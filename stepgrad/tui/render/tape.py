"""The tape: a row for each node, in the order in which they are made."""

from collections.abc import Sequence
from functools import lru_cache
from math import isfinite, log10

from textual.content import Content

from stepgrad.recording.recording import Recording
from stepgrad.replay.conditions import NodeStop
from stepgrad.replay.numbers import gradient, number
from stepgrad.replay.session import Session
from stepgrad.replay.state import State
from stepgrad.replay.titles import short_title
from stepgrad.tui.render import ink

NUMBER = 11
"""Cells of a number's column: the longest that `number` writes for six digits."""


@lru_cache(maxsize=8)
def tape_lines(recording: Recording, scene: Sequence[int]) -> tuple[int | str, ...]:
    """Return what the lines of the tape are: nodes, each scope before its first one."""
    lines: list[int | str] = []
    scope = ""
    for node in scene:
        facts = recording.node(node)
        if facts.place.scope != scope:
            scope = facts.place.scope
            lines.append(scope or "·")
        lines.append(node)
    return tuple(lines)


def scope_row(scope: str, width: int) -> Content:
    """Return the line above the nodes of a scope."""
    return Content.assemble((f"  {ink.fit(scope, width - 2)}", ink.QUIET))


def tape_row(session: Session, node: int, width: int) -> Content:
    """Return a node's row: stop, marker, name, value, gradient, magnitude.

    A node that is not made yet is there already, dim and without numbers.
    """
    state = session.state
    value, grad = state.value(node), state.grad(node)
    room = width - 2 * NUMBER - 5
    current = node == state.focus
    marker = ink.ARROWS.get(state.phase or "", "▶") if current else " "
    stop = any(isinstance(each, NodeStop) and each.node == node for each in session.stops)
    name_style = ink.CURRENT if current else ink.QUIET if value is None else ink.PLAIN
    indent = "  " if state.node(node).place.scope else ""
    name = ink.fit(indent + short_title(state.recording, node), room)
    row = Content.assemble(
        (marker, ink.CURRENT),
        (ink.STOP if stop else " ", ink.HALT),
        (name, name_style),
        (f"{'' if value is None else number(value):>{NUMBER}}", ink.sign(value)),
        (f"{'' if value is None else gradient_text(state, node, grad):>{NUMBER}}", ink.sign(grad)),
        (f" {bar(grad)} ", ink.sign(grad)),
    )
    return row.stylize(ink.SELECTED) if node == session.selected else row


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
