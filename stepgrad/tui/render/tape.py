"""The tape: a row for each node, in the order in which they are made."""

from bisect import bisect_left
from math import isfinite, log10

from rich.cells import cell_len
from textual.content import Content

from stepgrad.numbers import fitting, gradient, number
from stepgrad.replay.outline import ScopeLine
from stepgrad.replay.scopes import shares, span
from stepgrad.replay.session import Session
from stepgrad.replay.state import State
from stepgrad.replay.stops.stop import NodeStop
from stepgrad.replay.summary import Summary, summary
from stepgrad.replay.telling.titles import short_title
from stepgrad.tui.render import ink

NUMBER = 11
"""Cells of a number's column, with a blank before the number."""

_NAME, _LEAST = 9, 7  # with fewer cells for names, columns get narrower, down to this

MARGINS = "▶● █ "
"""What is around a row's texts: marker and stop on the left, the magnitude on the right."""

_COUNT, _SHARE, _SPAN = 6, 6, 11  # cells of a folded scope's summary


def scope_row(session: Session, line: ScopeLine, width: int) -> Content:
    """Return the line above the nodes of a scope; for a folded one, a summary of it.

    That is the number of its nodes, the range of their gradients' magnitudes, and the shares of
    these that are exactly 0 or never reached.
    """
    if not line.nodes:
        return Content.styled(ink.fit(f"  {line.scope}", width), ink.QUIET)
    state = session.state
    current = _holds(line, state.focus)
    selected = _holds(line, session.selected)
    marker = _marker(session, current=current, selected=selected)
    made = state.value(line.nodes[0]) is not None
    known = summary(state, line)
    told, room = _facts(state, line, known), width - len(MARGINS) - 2
    if cell_len(line.scope) + len(told) > room:
        told = told.lstrip()
    name = ink.fit_end(line.scope, room - len(told))
    style = ink.CURRENT if current else ink.PLAIN if made else ink.QUIET
    row = Content.assemble(
        (marker, ink.CURRENT),
        ("+ ", ink.QUIET),
        (name, style),
        (f" {told}", ink.QUIET),
        (f" {bar(known.high)} ", ink.PLAIN),
    ).truncate(width)
    return row.stylize(ink.SELECTED) if selected else row


def _facts(state: State, line: ScopeLine, known: Summary) -> str:
    """Sum up a folded scope in columns: the number of nodes, shares, and the range on the right."""
    count = len(line.nodes)
    told, sizes = shares(state, line, known), span(known)
    if not (told or sizes):
        return f"{count:,} nodes"
    return f"{count:>{_COUNT},} {told:>{_SHARE}} {sizes:>{_SPAN}}"


def _holds(line: ScopeLine, node: int | None) -> bool:
    if node is None:
        return False
    at = bisect_left(line.nodes, node)
    return at < len(line.nodes) and line.nodes[at] == node


def _marker(session: Session, *, current: bool, selected: bool) -> str:
    if current:
        return ink.ARROWS.get(session.state.phase or "", "▶")
    return "›" if selected else " "


def tape_row(session: Session, node: int, width: int) -> Content:
    """Return a node's row: stop, marker, name, value, gradient (or tangent), magnitude.

    A node that is not computed yet is there already, dim and without numbers.
    """
    state = session.state
    value = state.value(node)
    derivative, text = beside_value(state, node)
    facts = state.node(node)
    cells = _column(width)
    room = width - 2 * cells - len(MARGINS)
    current = node == state.focus
    selected = node == session.selected
    marker = _marker(session, current=current, selected=selected)
    stops = (each for each in session.stops if isinstance(each, NodeStop))
    stop = any(each.covers(state.recording, node) for each in stops)
    quiet = value is None or facts.constant
    name_style = ink.CURRENT if current else ink.QUIET if quiet else ink.PLAIN
    indent = "  " if facts.place.scope else ""
    unnamed = facts.constant and not facts.name
    title = "constant" if unnamed else short_title(state.recording, node)
    name = ink.fit(indent + title, room)
    shown = "" if value is None else fitting(number(value), value, cells - 1)
    bare = value is None or facts.constant
    paid = "" if bare else fitting(text, derivative, cells - 1)
    row = Content.assemble(
        (marker, ink.CURRENT),
        (ink.STOP if stop else " ", ink.HALT),
        (name, name_style),
        (f"{shown:>{cells}}", ink.sign(value)),
        (f"{paid:>{cells}}", ink.sign(derivative)),
        (f" {bar(derivative)} ", ink.sign(derivative)),
    ).truncate(width)
    return row.stylize(ink.SELECTED) if selected else row


def headings(state: State, width: int) -> Content:
    """Return what the columns of rows are called, for the line above them.

    While forward mode runs, tangents stand where gradients come later.
    """
    cells = _column(width)
    second = "tangent" if state.seeds else "gradient"
    if cells <= len(second):
        second = second[:4]
    before = width - len(MARGINS[2:]) - cells - len("tape") - len("value")
    if before < 2:
        return Content("tape")
    first, between = (
        (f" {'─' * (space - 2)} ", ink.RULE) for space in (before, cells - len(second))
    )
    return Content.assemble("tape", first, "value", between, second)


def _column(width: int) -> int:
    """The cells of a number's column: fewer than usual if names would have no room."""
    spare = (width - len(MARGINS) - _NAME) // 2
    return max(_LEAST, min(NUMBER, spare))


def beside_value(state: State, node: int) -> tuple[float | None, str]:
    """What is beside a node's value: its gradient or, in forward mode, its tangent."""
    grad = state.grad(node)
    tangent = state.tangent(node) if grad is None else None
    if tangent is not None:
        return tangent, gradient(tangent)
    return grad, gradient_text(state, node, grad)


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
