"""What is in the boxes and on the wires of a network: numbers of neurons, weights, signs."""

from __future__ import annotations

from collections.abc import Sequence

from stepgrad.numbers import fitting, number
from stepgrad.replay.graph.contents import Node, Number
from stepgrad.replay.graph.network.picture import Neuron, Weighted
from stepgrad.tui.render import ink
from stepgrad.tui.render.boxes import CHANGE
from stepgrad.tui.render.painting import Line, WireContent, width_of

Box = Node | Neuron
"""What a box is about: an input, a neuron, or the loss."""

SIGNS = 8
"""The most weights that are shown in one place."""

_DETAILS = 8, 6
"""The cells of a number in the line below a network, from the most to the fewest."""

_STRONG = 0.5
"""From this share of the largest weight on, a wire is heavy."""

_TO = " → "

_BESIDE = 12
"""The cells for a weight and its gradient on a wire, without what is around them."""


def result(box: Box) -> Node:
    """The node that a box results in."""
    return box.h if isinstance(box, Neuron) else box


def values(box: Box, digits: int, *, sums: bool = True) -> Line:
    """The value or, in a neuron with an activation, z → h, each `digits` cells wide.

    After an edit it is h before and after, which another arrow beside it would confuse.
    """
    h = result(box).shown_value
    if not isinstance(box, Neuron) or box.linear or not sums:
        return [(_cell(h, digits), ink.sign(h.x))]
    if box.before is not None:
        return [(_cell(h, 2 * digits + len(_TO)), ink.sign(h.x))]
    z = box.z.shown_value
    return [
        (_cell(z, digits, right=True), ink.sign(z.x)),
        (_TO, ink.QUIET),
        (_cell(h, digits), ink.sign(h.x)),
    ]


def derivatives(box: Box, digits: int, *, sums: bool = True, shut: bool = False) -> Line:
    """The gradient or, in a neuron with an activation, ∇z ← ∇h, with a bar if its gate is `shut`.

    In forward mode they are tangents, which go from z to h. After an edit it is ∇h, old → new.
    """
    h = result(box).derivative
    if not h.text:
        return []
    glyph = (f"{h.glyph} ", ink.QUIET)
    if not isinstance(box, Neuron) or box.linear or not sums:
        return [glyph, (_cell(h, digits), ink.sign(h.x))]
    if box.before is not None:
        return [glyph, (_cell(h, 2 * digits + len(_TO)), ink.sign(h.x))]
    z = box.z.derivative
    arrow = "┼" if shut else "→" if h.word == "tangent" else "←"
    return [
        glyph,
        (_cell(z, digits, right=True), ink.sign(z.x)),
        (f" {arrow} ", ink.PLAIN if shut else ink.QUIET),
        (_cell(h, digits), ink.sign(h.x)),
    ]


def wire_look(weighted: Weighted, largest: float) -> WireContent:
    """A wire by its weight: the colour is the sign, a heavy one is at least half of the largest."""
    weight = weighted.weight.value
    if weight is None:
        return WireContent(style=ink.QUIET)
    strong = abs(weight) >= _STRONG * largest > 0
    if weighted.current:
        return WireContent(style=ink.CURRENT, heavy=True, rank=3)
    return WireContent(style=ink.sign(weight), heavy=strong, rank=1 + strong)


def label(weighted: Weighted, *, both: bool) -> Line:
    """A weight, and its gradient if there is room for both; what an edit changes, old → new."""
    weight = weighted.weight
    if weight.value is None:
        return []
    style = ink.CURRENT if weighted.current else ink.sign(weight.value)
    if weight.shown_value.old:
        told = weight.shown_value
        return [(f" {told.fitted(_BESIDE + 3 if both else 6)} ", style)]
    first = (f" {fitting(number(weight.value, 3), weight.value, 6)}", style)
    told = weight.derivative
    if not both or told.x is None:
        return [(f"{first[0]} ", style)]  # a sign right at a wire is lost in it
    brief = fitting(number(told.x, 3), told.x, 6)
    if told.old:
        brief = told.fitted(_BESIDE - len(first[0].strip()))
    text = told.text if told.text.startswith(("!", "~")) else brief
    return [first, (f" {told.glyph} ", ink.QUIET), (f"{text} ", ink.sign(told.x))]


def aim(wanted: Node, room: int) -> Line:
    """What an output should be, with its name if there is room."""
    value = fitting(wanted.value_text, wanted.value, 4)
    named = f" {wanted.name} = {value} "
    return [(named if len(named) <= room else f" {value} ", ink.QUIET)]


def signs(neuron: Neuron, largest: float) -> Line:
    """The sign of each weight, bold if it is a large one; `·` if it is not made, 0 if it is 0."""
    shown = page(neuron)
    line = [sign_of(weighted, largest) for weighted in shown]
    return line if len(shown) == len(neuron.unit.weights) else [*line, ("…", ink.QUIET)]


def page(neuron: Neuron) -> Sequence[Weighted]:
    """All weights or, of more than fit, those around the current one."""
    count, size = len(neuron.unit.weights), SIGNS
    if count > SIGNS:
        size -= 1  # and a mark for the rest
    first = max(0, min((neuron.entered or 0) // size * size, count - size))
    return [*map(neuron.weighted, range(first, min(first + size, count)))]


def details(neuron: Neuron, width: int) -> Line:
    """The name of a neuron, its bias and its weights, each with its gradient.

    As many weights as fit into `width` cells, from the page with the current one on.
    """
    shown = [weight for each in page(neuron) if (weight := each.weight).made]
    rest = len(neuron.unit.weights) - len(shown) if shown else 0
    parameters = [*([neuron.bias] if neuron.bias is not None else []), *shown]
    current = {each.weight.index for each in page(neuron) if each.current}
    for digits in _DETAILS:
        told = [_told(each, digits, current=each.index in current) for each in parameters]
        line = _joined(neuron, told, rest)
        if width_of(line) <= width:
            return line
    while told and width_of(line := _joined(neuron, told, rest)) > width:
        told.pop()
        rest += 1
    return line


def _joined(neuron: Neuron, told: Sequence[Line], rest: int) -> Line:
    """A neuron's name, what there is room for, and how much more there is."""
    line = [(f"{neuron.name} ", ink.NAME), *(span for each in told for span in each)]
    return [*line, (f" and {rest} more", ink.QUIET)] if rest else line


def _told(weight: Node, digits: int, *, current: bool) -> Line:
    """A parameter with its gradient, once it is made."""
    if not weight.made:
        return []
    value, told = weight.shown_value, weight.derivative
    return [
        (f" {weight.name} ", ink.CURRENT if current else ink.QUIET),
        (_brief(value, digits), ink.sign(value.x)),
        (f" {told.glyph} ", ink.QUIET),
        (f"{_brief(told, digits)} ", ink.sign(told.x)),
    ]


def legend(width: int, *, wired: bool, sums: bool, edited: bool) -> Line:
    """What is shown, where there is no neuron to show the weights of; as much as fits."""
    numbers = "z → h · ∇z ← ∇h" if sums and not edited else "h · ∇h"
    line = [
        (f"{numbers}{', old → new' * edited} · {'wires: ' * wired}", ink.QUIET),
        ("+", ink.POSITIVE), (" ", ""), ("−", ink.NEGATIVE),
        (f" weights, {'heavy' if wired else 'bold'} if large", ink.QUIET),
    ]  # fmt: skip
    for more in (" · select a neuron for its weights", " · select a neuron for more"):
        longer = [*line, (more, ink.QUIET)]
        if width_of(longer) <= width:
            return longer
    return line


def sign_of(weighted: Weighted, largest: float) -> tuple[str, str]:
    """The sign of a weight and its style."""
    look = wire_look(weighted, largest)
    weight = weighted.weight.value
    glyph = "·" if weight is None else "0" if not weight else "+" if weight > 0 else "−"
    return glyph, f"bold {look.style}" if look.heavy and not weighted.current else look.style


def _brief(told: Number, digits: int) -> str:
    """A number in few cells; in more, if an edit has changed it."""
    return told.fitted(CHANGE if told.old else digits)


def _cell(told: Number, digits: int, *, right: bool = False) -> str:
    """A number, padded to `digits` cells."""
    text = told.fitted(digits)
    return text.rjust(digits) if right else text.ljust(digits)
