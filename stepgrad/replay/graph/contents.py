"""The content of a box: a node with its numbers, or a folded scope with a summary of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from stepgrad.numbers import fitting, fitting_change, gradient, number
from stepgrad.printable import printable
from stepgrad.replay.graph.folding import FoldedGraph
from stepgrad.replay.graph.outline import ScopeLine
from stepgrad.replay.graph.summary import Summary, shares, span, summary
from stepgrad.replay.program import counterpart
from stepgrad.replay.state import State
from stepgrad.replay.telling.titles import definition, short_title, title


class Number(NamedTuple):
    """A number in a box: `x`, its text, and a word and a glyph that say which number it is.

    A summary of several numbers has no `x`. After an edit that changes the number, `old` is its
    text before, and `old_x` what it was.
    """

    word: str
    glyph: str
    text: str
    x: float | None
    old: str = ""
    old_x: float | None = None

    def fitted(self, width: int) -> str:
        """Its text in a number of cells, with fewer digits if need be: `2 → 2.1` after an edit."""
        if self.old and (change := fitting_change((self.old, self.old_x), self[2:4], width)):
            return change
        return fitting(self.text, self.x, width)


@dataclass(frozen=True)
class Node:
    """A node at a position. It is `current` if the last event is about it.

    After an edit, `before` is the position in the original.
    """

    state: State
    index: int
    current: bool = False
    before: State | None = None

    @property
    def name(self) -> str:
        """Its name without scopes, or what identifies a nameless node."""
        return printable(short_title(self.state.recording, self.index))

    @property
    def title(self) -> str:
        """Its name in narrations; without one, its scope and formula."""
        facts, called = self.state.node(self.index), title(self.state.recording, self.index)
        scope = "" if facts.name or not facts.place.scope else f"{facts.place.scope}: "
        return printable(f"{scope}{called}")

    @property
    def formula(self) -> str:
        """What it computes; empty for a leaf."""
        return printable(definition(self.state.recording, self.state.node(self.index)))

    @property
    def heading(self) -> str:
        """Name and formula: `h = relu(z1)`; without a name, the formula."""
        name, formula = self.name, self.formula
        return name if formula in ("", name) else f"{name} = {formula}"

    @property
    def scope(self) -> str:
        """The scope in which it was made."""
        return printable(self.state.node(self.index).place.scope)

    @cached_property
    def value(self) -> float | None:
        """Its value; None before it is computed."""
        return self.state.value(self.index)

    @property
    def made(self) -> bool:
        """Whether it is computed."""
        return self.value is not None

    @cached_property
    def tangent(self) -> float | None:
        """Its tangent; None outside forward mode."""
        return self.state.tangent(self.index)

    @cached_property
    def grad(self) -> float | None:
        """Its gradient; None before one arrives."""
        return self.state.grad(self.index)

    @property
    def value_text(self) -> str:
        """The value as a person writes it."""
        return "" if self.value is None else number(self.value)

    @property
    def tangent_text(self) -> str:
        """The tangent as a person writes it."""
        return "" if self.tangent is None else gradient(self.tangent)

    @property
    def grad_text(self) -> str:
        """The gradient, or why there is none: `–` not reached yet, `∅` never reached."""
        if not self.made:
            return ""
        unreached = self.grad is None and self.state.never_reached(self.index)
        return "∅" if unreached else gradient(self.grad)

    @property
    def derivative(self) -> Number:
        """What is beside the value: the gradient or, in forward mode, the tangent."""
        if self.grad is None and self.tangent is not None:
            told = Number("tangent", "d", self.tangent_text, self.tangent)
        else:
            told = Number("grad", "∇", self.grad_text, self.grad)
        old = self._old.derivative if self._old else told
        return told if told.word != old.word else _changed(told, old)

    @property
    def shown_value(self) -> Number:
        """The value."""
        told = Number("value", "=", self.value_text, self.value)
        return _changed(told, self._old.shown_value) if self._old else told

    @property
    def numbers(self) -> Sequence[Number]:
        """The value and a derivative; empty before the node is computed."""
        return (self.shown_value, self.derivative) if self.made else ()

    @property
    def exact(self) -> Sequence[tuple[str, float]]:
        """The numbers that it has, each with its word, to be written with all digits."""
        told = (("value", self.value), ("tangent", self.tangent), ("gradient", self.grad))
        return [(word, x) for word, x in told if x is not None]

    @cached_property
    def _old(self) -> Node | None:
        """The node before the edit, if it is made there in the same way."""
        if self.before is None:
            return None
        index = counterpart(self.state.recording, self.index, self.before.recording)
        return None if index is None else Node(self.before, index)


def _changed(new: Number, old: Number) -> Number:
    """A number with what it was before, if that is another and was there."""
    if old.text in ("", new.text):
        return new
    return new._replace(old=old.text, old_x=old.x)


@dataclass(frozen=True)
class Fold:
    """A folded scope at a position. It is `current` if the last event is about one of its nodes."""

    state: State
    line: ScopeLine
    current: bool = False

    @property
    def index(self) -> int:
        """Its first node."""
        return self.line.nodes[0]

    @property
    def name(self) -> str:
        """Its name within `scope`."""
        return printable(self.line.scope.rpartition("/")[2])

    @property
    def scope(self) -> str:
        """The scope that contains it."""
        return printable(self.line.scope.rpartition("/")[0])

    @property
    def count(self) -> int:
        """The number of its nodes."""
        return len(self.line.nodes)

    @property
    def heading(self) -> str:
        """Name and size: `+ layer1 ×24`."""
        return f"+ {self.name} ×{self.count:,}"

    @property
    def made(self) -> bool:
        """Whether its first node is computed."""
        return self.state.value(self.index) is not None

    @cached_property
    def summary(self) -> Summary:
        """Its gradients in a few numbers."""
        return summary(self.state, self.line)

    @property
    def span(self) -> str:
        """The range of its gradients, from the smallest magnitude to the largest."""
        return span(self.summary)

    @property
    def shares(self) -> str:
        """The shares of its gradients that are nan, exactly 0 or never reached."""
        return shares(self.state, self.line, self.summary)

    @property
    def numbers(self) -> Sequence[Number]:
        """The summary, without what is empty."""
        told = (
            Number("|grad|", "|∇|", self.span, None),
            Number("shares", "", self.shares, None),
        )
        return [each for each in told if each.text]


Content = Node | Fold
"""The content of one box."""


def content_of(
    state: State, graph: FoldedGraph, box: int, current: bool = False, before: State | None = None
) -> Content:
    """Return what is in a box of a graph at a position."""
    line = graph.scope(box)
    return Node(state, box, current, before) if line is None else Fold(state, line, current)
