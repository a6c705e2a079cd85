"""The node panel: everything about one node at a position."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from stepgrad.replay.ledger import contributions
from stepgrad.replay.narrate import derivative, local_derivative
from stepgrad.replay.numbers import factor, number
from stepgrad.replay.state import State
from stepgrad.replay.titles import definition, made_by, short_title
from stepgrad.tui.render import ink
from stepgrad.tui.render.tape import gradient_text

LABEL = 8


def heading(state: State, node: int) -> str:
    """What the node is: `h = relu(z1)`."""
    facts = state.node(node)
    name = short_title(state.recording, node)
    defined = definition(state.recording, facts)
    return ink.printable(f"{name} = {defined}" if facts.name and defined else defined or name)


def node_panel(state: State, node: int, width: int) -> Content:
    """Return value, gradient, what was paid into it, local derivatives and source."""
    rows = (ink.line(*row).truncate(width, ellipsis=True) for row in _rows(state, node))
    return Content("\n").join(rows)


def _rows(state: State, node: int) -> Iterator[list[ink.Span]]:
    recording, facts = state.recording, state.node(node)
    value = state.value(node)
    if value is None:
        yield [("not made yet", ink.QUIET)]
    else:
        grad = state.grad(node)
        yield _row("value", (repr(value).replace("-", "−"), ink.sign(value)))
        known = grad is not None and grad == grad
        exact = repr(grad).replace("-", "−") if known else gradient_text(state, node, grad)
        yield _row("grad", (exact, ink.sign(grad)))
        label = "paid in"
        for paid in contributions(recording, node, state.position):
            yield _row(
                label,
                (number(paid.amount), ink.sign(paid.amount)),
                (f" = {number(paid.upstream)}·{factor(paid.local)}", ""),
                (f" from {short_title(recording, paid.out)} at {paid.position}", ink.QUIET),
            )
            label = ""
        label = "local"
        for slot, operand in enumerate(facts.operands):
            if state.node(operand).constant:
                continue
            local = local_derivative(recording, node, slot, state.position)
            by = derivative("", short_title(recording, operand))
            yield _row(label, (f"{by} = ", ink.QUIET), (str(local), ""))
            label = ""
    if facts.place.scope:
        yield _row("scope", (facts.place.scope, ink.QUIET))
    if line := made_by(recording, facts):
        yield _row("source", (line, ink.QUIET))


def _row(label: str, *spans: ink.Span) -> list[ink.Span]:
    return [(f"{label:<{LABEL}}", ink.QUIET), *spans]
