"""The tape: a row for each node, in the order in which they are made."""

from math import isfinite, log10

from rich.cells import cell_len
from textual.content import Content

from stepgrad.printable import counted
from stepgrad.replay.commands.searching import match
from stepgrad.replay.graph.contents import Fold, Node
from stepgrad.replay.graph.outline import ScopeLine, without_shape
from stepgrad.replay.session import Session
from stepgrad.replay.stops.stop import NodeStop
from stepgrad.replay.telling.titles import short_title
from stepgrad.tui.render import ink

NUMBER = 11
"""Cells of a number's column, with a blank before the number."""

CHANGE = 16
"""Cells of the column after an edit: `0.243 → 0.252`."""

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
        return Content.styled(f"  {ink.fit_name(line.scope, width - 2)}", ink.QUIET).truncate(width)
    fold = Fold(session.state, line, current=line.holds(session.state.focus))
    selected = line.holds(session.selected)
    marker = marker_of(session, current=fold.current, selected=selected)
    told, room = _facts(fold), width - len(MARGINS) - 2
    if cell_len(line.scope) + len(told) > room:
        told = told.lstrip()
    name = line.scope if cell_len(line.scope) + len(told) <= room else without_shape(line.scope)
    name = ink.fit_name(name, room - len(told))
    style = ink.CURRENT if fold.current else ink.PLAIN if fold.made else ink.QUIET
    row = Content.assemble(
        (marker, ink.CURRENT),
        ("+ ", ink.QUIET),
        (name, style),
        (f" {told}", ink.QUIET),
        (f" {bar(fold.summary.high)} ", ink.PLAIN),
    ).truncate(width)
    return row.stylize(ink.SELECTED) if selected else row


def _facts(fold: Fold) -> str:
    """Sum up a folded scope in columns: the number of nodes, shares, and the range on the right."""
    shares, span = fold.shares, fold.span
    if not (shares or span):
        return counted(fold.count, "node")
    return f"{fold.count:>{_COUNT},} {shares:>{_SHARE}} {span:>{_SPAN}}"


def marker_of(session: Session, *, current: bool, selected: bool) -> str:
    """What marks a row: the direction of the last event, or a selection."""
    if current:
        return ink.ARROWS.get(session.state.phase or "", "▶")
    return ink.SELECTION if selected else " "


def tape_row(session: Session, node: int, width: int) -> Content:
    """Return a node's row: stop, marker, name, value, gradient (or tangent), magnitude.

    A node that is not computed yet is there already, dim and without numbers.
    """
    state = session.state
    facts = state.node(node)
    shown = Node(state, node, node == state.focus, session.before)
    cells = _column(width, changed=session.changed)
    of_name = width - 2 * cells - len(MARGINS)
    selected = node == session.selected
    marker = marker_of(session, current=shown.current, selected=selected)
    stops = (each for each in session.stops if isinstance(each, NodeStop))
    stop = any(each.covers(state.recording, node) for each in stops)
    quiet = facts.constant or not shown.made
    name_style = ink.CURRENT if shown.current else ink.QUIET if quiet else ink.PLAIN
    indent = "  " if facts.place.scope else ""
    unnamed = facts.constant and not facts.name
    title = "constant" if unnamed else short_title(state.recording, node)
    name = indent + ink.fit_name(title, of_name - len(indent))
    room = cells - 1 - session.changed  # an arrow must not lead to the next column
    value = shown.shown_value.fitted(room)
    beside = shown.derivative
    derivative = "" if facts.constant else beside.fitted(room)
    row = Content.assemble(
        (marker, ink.CURRENT),
        (ink.STOP if stop else " ", ink.HALT),
        (name, name_style),
        (f"{value:>{cells}}", ink.sign(shown.value)),
        (f"{derivative:>{cells}}", ink.sign(beside.x)),
        (f" {bar(beside.x)} ", ink.sign(beside.x)),
    ).truncate(width)
    return row.stylize(ink.SELECTED) if selected else row


def headings(session: Session, width: int) -> Content:
    """Return what the columns of rows are called, for the line above them.

    While forward mode runs, tangents stand where gradients come later. Of a search, which match is
    selected follows the first word.
    """
    cells = _column(width, changed=session.changed)
    second = "tangent" if session.state.seeds else "gradient"
    if cells <= len(second):
        second = second[:4]
    room = width - len(MARGINS[2:]) - cells - len("value") - 2
    found = match(session)
    ways = [way.format(*found) for way in ("  match {} of {}", "  {}/{}")] if found else []
    which = next((way for way in ways if len(way) <= room - len("tape")), "")
    before = room + 2 - len("tape") - len(which)
    title: list[ink.Span] = [("tape", ""), (which, ink.CURRENT)]
    if before < 2:
        return Content.assemble(*title)
    first, between = (
        (f" {'─' * (space - 2)} ", ink.RULE) for space in (before, cells - len(second))
    )
    return Content.assemble(*title, first, "value", between, second)


def _column(width: int, *, changed: bool) -> int:
    """The cells of a number's column: fewer than usual if names would have no room.

    After an edit they are more: there are two numbers in it.
    """
    spare = (width - len(MARGINS) - _NAME) // 2
    return max(_LEAST, min(CHANGE if changed else NUMBER, spare))


def bar(grad: float | None) -> str:
    """The magnitude of a gradient: a height for each power of ten, from 10⁻⁵ or less to 10² up."""
    if not grad or not isfinite(grad):
        return " "
    height = round(log10(abs(grad))) + 5
    return ink.BARS[max(0, min(height, len(ink.BARS) - 1))]
