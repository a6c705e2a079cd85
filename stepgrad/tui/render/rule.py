"""The chain rule on its wire: what the current event multiplies, and what it adds up to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from math import isfinite
from typing import NamedTuple

from stepgrad.drawing.layout import Point, Wire
from stepgrad.numbers import corrected, factor, number
from stepgrad.recording import events
from stepgrad.tui.render import ink
from stepgrad.tui.render.canvas import Canvas


class Rule(NamedTuple):
    """The chain rule at an edge, in numbers: `−4 · 2`, and `= −8` or `= −8, Σ −2`.

    The running sum is that of the gradient that receives the product, if it is more than this.
    """

    product: str
    result: str

    @property
    def line(self) -> str:
        """All of it."""
        return f"{self.product} {self.result}"


def rule_of(event: events.Accumulate) -> Rule:
    """Write what an event adds to a gradient."""
    shut = not event.contribution and not isfinite(event.upstream)  # no product: inf · 0 is nan
    product = number(event.local) if shut else f"{number(event.upstream)} · {factor(event.local)}"
    total = f", Σ {number(event.after)}" if event.before else ""
    passed = corrected(event.contribution, event.right)
    if event.total is not None:
        passed, total = number(event.after), f", Σ {corrected(event.after, event.total)}"
    return Rule(product, f"= {passed}{total}")


def write_rule(canvas: Canvas, wire: Wire, origin: Point, rule: Rule) -> None:
    """Write a rule on its wire, or partly beside it where the canvas is blank.

    Args:
        canvas: a view of the drawing, with all that is in it.
        wire: the wire of the current edge.
        origin: where the view shows the first cell of the drawing.
        rule: the rule. If there is no room at all, the wire keeps its label.
    """
    (x, y), room = wire.label, wire.label_width
    x, y, first = x + origin[0], y + origin[1], wire.path[0][0] + origin[0]
    tip = wire.path[-1][0] + origin[0]
    side = 1 if wire.path[0][1] > wire.label[1] else -1
    for beyond, (on_wire, beside) in product((False, True), [*_arrangements(rule, side)]):
        places = {
            dy: _blank(canvas, (first, tip), y + dy, text, beyond=beyond)
            for dy, text in beside.items()
        }
        if len(on_wire) > room or None in places.values():
            continue
        if on_wire:
            canvas.write(x, y, on_wire.center(room, "━"), ink.CURRENT)
        for dy, text in beside.items():
            canvas.write(places[dy] or 0, y + dy, text, ink.CURRENT)
        return


_Arrangement = tuple[str, Mapping[int, str]]
"""What is on the wire, if anything, and what is in the rows below (above, if negative)."""


def _arrangements(rule: Rule, side: int) -> Iterator[_Arrangement]:
    """Yield the ways to write a rule, the best first; beside a wire, on the `side` it comes from.

    On the other side it would be at another wire into the same node.
    """
    factors, result, line = rule.product, rule.result, rule.line
    yield f" {line} ", {}
    yield f" {result} ", {-1: factors}
    yield f" {factors} ", {1: result}
    for row in (side, -side, 2 * side, -2 * side):
        yield "", {row: line}
    yield "", {-2: factors, -1: result}
    yield "", {1: factors, 2: result}
    yield "", {-3: factors, -2: result}
    yield "", {3: line}


def _blank(canvas: Canvas, wire: tuple[int, int], y: int, text: str, *, beyond: bool) -> int | None:
    """Find a blank place for a text above or below a wire, as near to its tip as there is one.

    If it is longer than the wire, it is in the middle. It goes `beyond` the tip only on demand.
    """
    first, tip = wire
    middle = (first + tip - len(text)) // 2
    last = max(tip - len(text), middle)
    starts = range(last + 1, tip) if beyond else range(last, min(first, middle) - 1, -1)
    return next((x for x in starts if canvas.is_blank(x - 1, y, len(text) + 2)), None)
