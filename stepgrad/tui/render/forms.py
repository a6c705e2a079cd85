"""How much the drawing of a network shows, from the richest form to the poorest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from stepgrad.replay.graph.network.picture import Neuron
from stepgrad.tui.render.neurons import Box

FRAME = 4
"""The rows of a framed box: its values, its gradients, and two edges."""

BOTH, WEIGHT, TARGET = 17, 8, 11
"""The room for a weight with its gradient, for a weight, and for a target."""

Kind = Literal["input", "neuron", "linear", "loss"]


class Form(NamedTuple):
    """How much a drawing shows: see `FORMS`. `digits` is the width of a number in a box."""

    framed: bool
    label: int
    digits: int
    sums: bool = True

    @property
    def wired(self) -> bool:
        """Whether there are wires; or else signs of weights stand for them."""
        return self.label >= 0

    def width(self, kind: Kind, named: int) -> int:
        """The width of a box with a name of that width."""
        two = kind == "neuron" and self.sums
        if self.framed:  # numbers below each other, each after its glyph
            inner = 2 + self.digits * (1 + two) + 3 * two
            return max(inner, named) + 2
        derivative = 0 if kind == "loss" else 3 + self.digits
        return 2 + named + 1 + self.digits * (1 + two) + 3 * two + derivative


FORMS = (
    Form(framed=True, label=BOTH, digits=8),
    Form(framed=True, label=BOTH, digits=6),
    Form(framed=True, label=WEIGHT, digits=7),
    Form(framed=True, label=WEIGHT, digits=6),
    Form(framed=True, label=0, digits=6),
    Form(framed=True, label=-1, digits=6),
    Form(framed=True, label=0, digits=6, sums=False),
    Form(framed=True, label=-1, digits=6, sums=False),
    Form(framed=False, label=-1, digits=7),
    Form(framed=False, label=-1, digits=5),
    Form(framed=False, label=-1, digits=5, sums=False),
)
"""From the richest to the poorest."""


class Shown(NamedTuple):
    """One column of what is drawn: a part of the boxes of a layer, from number `first` on."""

    kind: Kind
    boxes: Sequence[Box]
    first: int
    whole: int


def name_in(form: Form, box: Box) -> str:
    """What a box is called: in a line, a neuron has only its number, or the name of an output."""
    if not isinstance(box, Neuron):
        return box.name
    named = box.h.name
    if form.framed:
        return box.name if form.sums else box.name.rpartition("/")[2]
    return str(box.unit.number) if named in ("h", "z") else named
