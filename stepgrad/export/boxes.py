"""The content of a box: a node with its numbers, or a folded scope with a summary of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import NamedTuple

from stepgrad.numbers import gradient, number
from stepgrad.printable import printable
from stepgrad.replay.outline import ScopeLine
from stepgrad.replay.scopes import shares, span
from stepgrad.replay.state import State
from stepgrad.replay.summary import summary
from stepgrad.replay.telling.titles import definition, short_title, title


class Number(NamedTuple):
    """A number in a box: `x`, its text, and a word and a glyph that say which number it is.

    A summary of several numbers has no `x`.
    """

    word: str
    glyph: str
    text: str
    x: float | None


@dataclass(frozen=True, slots=True)
class Node:
    """A node with its numbers: `value` is None before it is computed.

    `tangent` is None outside forward mode, `grad` before a gradient arrives; `_text` is each as a
    person writes it. `formula` is what it computes, empty for a leaf. `title` is the name with its
    scopes, or what identifies a nameless node. `focus`: highlight it, the last event is about it.
    """

    index: int
    name: str
    title: str
    formula: str
    scope: str
    value: float | None
    tangent: float | None
    grad: float | None
    value_text: str
    tangent_text: str
    grad_text: str
    focus: bool

    @property
    def made(self) -> bool:
        """Whether it is computed."""
        return self.value is not None

    @property
    def heading(self) -> str:
        """Name and formula: `h = relu(z1)`; without a name, the formula."""
        return self.name if self.formula in ("", self.name) else f"{self.name} = {self.formula}"

    @property
    def numbers(self) -> Sequence[Number]:
        """The value and a derivative, as on the screen; empty before it is computed."""
        if self.value is None:
            return ()
        derivative = Number("grad", "∇", self.grad_text, self.grad)
        if self.grad is None and self.tangent is not None:
            derivative = Number("tangent", "d", self.tangent_text, self.tangent)
        return Number("value", "=", self.value_text, self.value), derivative


@dataclass(frozen=True, slots=True)
class Fold:
    """A folded scope as one box: its `name` within `scope`, and its number of nodes.

    `index` is that of its first node; it is `made` when that node is. `numbers` sum up its
    gradients, as on the screen. `focus`: highlight it, the last event is about one of its nodes.
    """

    index: int
    name: str
    scope: str
    count: int
    numbers: Sequence[Number]
    made: bool
    focus: bool

    @property
    def heading(self) -> str:
        """Name and size: `+ layer1 ×24`."""
        return f"+ {self.name} ×{self.count:,}"


Content = Node | Fold
"""The content of one box."""


def fold(state: State, line: ScopeLine) -> Fold:
    """Describe a folded scope at a position."""
    scope, _, name = line.scope.rpartition("/")
    known = summary(state, line)
    told = (
        Number("|grad|", "|∇|", span(known), None),
        Number("shares", "", shares(state, line, known), None),
    )
    return Fold(
        index=line.nodes[0],
        name=printable(name),
        scope=printable(scope),
        count=len(line.nodes),
        numbers=[each for each in told if each.text],
        made=state.value(line.nodes[0]) is not None,
        focus=state.focus is not None and state.focus in line.nodes,
    )


def full_title(state: State, index: int) -> str:
    """Return the name of a node in narrations; without one, its scope and formula."""
    facts, called = state.node(index), title(state.recording, index)
    scope = "" if facts.name or not facts.place.scope else f"{facts.place.scope}: "
    return printable(f"{scope}{called}")


def describe(state: State, index: int) -> Node:
    """Describe a node at a position."""
    facts, recording = state.node(index), state.recording
    value, tangent, grad = state.value(index), state.tangent(index), state.grad(index)
    unreached = grad is None and value is not None and state.never_reached(index)
    return Node(
        index=index,
        name=printable(short_title(recording, index)),
        title=full_title(state, index),
        formula=printable(definition(recording, facts)),
        scope=printable(facts.place.scope),
        value=value,
        tangent=tangent,
        grad=grad,
        value_text="" if value is None else number(value),
        tangent_text="" if tangent is None else gradient(tangent),
        grad_text="" if value is None else "∅" if unreached else gradient(grad),
        focus=index == state.focus,
    )


def sign(x: float | None) -> str:
    """Return the sign of a number as a word; `broken` is nan or infinite."""
    if x is None or x == 0:
        return "zero"
    if not isfinite(x):
        return "broken"
    return "positive" if x > 0 else "negative"
