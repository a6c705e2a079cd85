"""The node panel: everything about one node at a position."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import mul
from typing import NamedTuple

from rich.cells import cell_len
from textual.content import Content

from stepgrad.numbers import bracketed, exact, gradient_inline, number, worked
from stepgrad.printable import printable
from stepgrad.recording.events import SetGrad, ZeroGrad
from stepgrad.replay.gradients.ledger import contributions, last_write, left_over, written_over
from stepgrad.replay.graph.contents import Node
from stepgrad.replay.state import State
from stepgrad.replay.telling.derivatives import MOST_LOCALS, local_derivative, receiving_slots
from stepgrad.replay.telling.titles import definition, made_by, short_title
from stepgrad.tui.render import ink

LABEL = 9

_LEAST = 5
"""The fewest cells that say which derivative is meant: `∂…∂x`."""


def heading(state: State, node: int, *, selected: bool = False) -> str:
    """What the node is: `h = relu(z1)`; with a mark if a person has selected it."""
    facts = state.node(node)
    name = short_title(state.recording, node)
    defined = definition(state.recording, facts)
    said = f"{name} = {defined}" if facts.name and defined else defined or name
    return printable(f"{ink.SELECTION} {said}" if selected else said)


def node_panel(
    state: State, node: int, width: int, height: int, secret: int | None = None
) -> Content:
    """Return value, gradient (or tangent), what it received, local derivatives and source.

    The local derivatives of the `secret` node are still to be predicted.
    """
    lines = _laid_out(_rows(state, node, height, secret), width, height)
    return Content("\n").join(line for line, _ in lines)


def event_at(state: State, node: int, width: int, height: int, y: int) -> int | None:
    """Return the position of the event that a line of the panel is about, if any."""
    lines = _laid_out(_rows(state, node, height), width, height)
    return lines[y][1].position if 0 <= y < len(lines) else None


class _Row(NamedTuple):
    """A row of the panel, and the position just after the event that it is about.

    Where it is too wide, its end is cut; or the span that `yields`, a name, is shortened. Of a
    row that `ends` in what matters, such as the line of a file, the end is kept. An `extra` span at
    the end is left out whole.
    """

    spans: Sequence[ink.Span]
    position: int | None = None
    yields: int | None = None
    ends: bool = False
    extra: bool = False

    def cut(self, width: int) -> Content:
        """Return the row in one line of at most this width."""
        spans = list(self.spans)
        if self.extra and ink.line(*spans).cell_length > width:
            del spans[-1]
        if self.yields is not None:
            text, style = spans[self.yields]
            room = width - ink.line(*spans).cell_length + cell_len(text)
            if _LEAST <= room < cell_len(text):
                spans[self.yields] = ink.fit_name(text, room), style
            elif (
                not self.extra and cell_len(text) > width - LABEL
            ):  # the number at the end stays as well
                told = "".join(text for text, _ in spans[1:])
                spans[1:] = [(ink.fit_name(told, width - LABEL), style)]
        return ink.line(*spans).truncate(width, ellipsis=True)


def _laid_out(rows: Sequence[_Row], width: int, height: int) -> list[tuple[Content, _Row]]:
    """Lay out rows in lines: a row that is too long takes more than one, if there are enough."""
    spare = height - len(rows)
    lines: list[tuple[Content, _Row]] = []
    for row in rows:
        line = ink.line(*row.spans)
        if row.ends and line.cell_length > width > 2 * LABEL:
            (label, quiet), (text, style) = row.spans
            line = ink.line((label, quiet), (ink.fit_name(text, width - LABEL), style))
        head, rest = line[:LABEL], line[LABEL:].wrap(max(width - LABEL, 1))
        if len(rest) - 1 > spare or width <= 2 * LABEL:
            lines.append((row.cut(width), row))
            continue
        spare -= max(len(rest) - 1, 0)
        lines.append((head + rest[0] if rest else head, row))
        lines += [(" " * LABEL + more, row) for more in rest[1:]]
    return lines


def _rows(state: State, node: int, height: int, secret: int | None = None) -> list[_Row]:
    """All rows; without room for all contributions, the first ones are left out."""
    value, made = state.value(node), state.recording.history.made_at(node)
    if value is None:
        return [_Row([("not computed yet", ink.QUIET)]), *_whereabouts(state, node)]
    top = [_number("value", number(value), value, position=made)]
    if state.node(node).constant:
        return [*top, _Row([("a constant of the program", ink.QUIET)])]
    label, _, text, rate, *_ = Node(state, node).derivative
    top.append(_number(label, text, rate))
    rest = [*_locals(state, node, told=node != secret), *_whereabouts(state, node)]
    return [*top, *_ledger(state, node, height - len(top) - len(rest)), *rest]


def _number(label: str, text: str, x: float | None, position: int | None = None) -> _Row:
    """A number as the tape has it, and then with all its digits if it has more."""
    row = _row(label, (text, ink.sign(x)), position=position)
    if x is None or x != x or (full := exact(x)) == text:
        return row
    return row._replace(spans=[*row.spans, (f"  {full}", ink.QUIET)], extra=True)


def _ledger(state: State, node: int, room: int) -> Iterator[_Row]:
    """The contributions, the latest last; as many as fit, but at least three rows."""
    received = contributions(state.recording, node, state.position)
    left = left_over(state.recording, node, state.position) if received else None
    if left is not None:
        yield _left_over(state, node, left, received[0].position)
        room -= 1
    room = max(room, 3)
    label = "received"
    if (event := written_over(state.recording, node, state.position)) is not None:
        yield _written_over(state, event)
    if len(received) > room:
        more = len(received) - room + 1
        yield _row(
            label, (f"… {more} earlier events", ink.QUIET), position=received[more - 1].position
        )
        received, label = received[more:], ""
    for each in received:
        upstream, local = worked(mul, (each.upstream, each.local))
        here = each.position == state.position
        at = f" {ink.ARROWS['backward']} {each.position}" if here else f" at {each.position}"
        seen, right = each.seen
        yield _row(
            label,
            (f"{'= ' * bool(each.overwritten)}{number(seen)}", ink.sign(seen)),
            *(() if right is None else ((f" {ink.MISTAKE} {number(right)}", ink.HALT),)),
            (at, ink.CURRENT if here else ink.QUIET),
            (" from ", ink.QUIET),
            (short_title(state.recording, each.out), ink.QUIET),
            (f" ({upstream}·{bracketed(local)})", ""),
            position=each.position,
        )._replace(yields=-1, extra=True)  # the name, once the product is left out
        label = ""


def _written_over(state: State, index: int) -> _Row:
    """The event that overwrote what the gradient had received."""
    event, position = state.recording.events[index], index + 1
    assert isinstance(event, ZeroGrad | SetGrad), "a gradient was written, and not by a pass"
    match event:
        case ZeroGrad():
            label = "cleared"
        case SetGrad(rule=None):
            label = "set"
        case _:
            label = "clipped"
    return _row(
        label,
        (f"at {position}", ink.CURRENT if position == state.position else ink.QUIET),
        (f", was {gradient_inline(event.before)}", ink.QUIET),
        position=position,
    )


def _left_over(state: State, node: int, amount: float, received_at: int) -> _Row:
    """What an earlier pass left, to which this one adds."""
    event = last_write(state.recording, node, received_at - 1)
    position = None if event is None else event + 1
    at = "" if position is None else f" at {position}"
    return _row(
        "before",
        (number(amount), ink.sign(amount)),
        (f"{at}, not cleared", ink.QUIET),
        position=position,
    )


def _locals(state: State, node: int, *, told: bool) -> Iterator[_Row]:
    label = "local"
    slots = receiving_slots(state.recording, node)
    shown = slots if len(slots) <= MOST_LOCALS else slots[: MOST_LOCALS - 1]
    for slot in shown:
        local = local_derivative(state.recording, node, slot, state.seen_by(node))
        number_of = (" = ", ink.QUIET), (str(local) if told else "?", "")
        yield _row(label, (local.name, ink.QUIET), *number_of)._replace(yields=1)
        label = ""
    if more := len(slots) - len(shown):
        yield _row("", (f"… {more} more", ink.QUIET))


def _whereabouts(state: State, node: int) -> Iterator[_Row]:
    facts = state.node(node)
    if facts.place.scope:
        yield _row("scope", (facts.place.scope, ink.QUIET))._replace(yields=1)
    if line := made_by(state.recording, facts):
        yield _row("source", (line, ink.QUIET))._replace(ends=True)


def _row(label: str, *spans: ink.Span, position: int | None = None) -> _Row:
    return _Row([(f"{label:<{LABEL}}", ink.QUIET), *spans], position)
