"""Derivatives in notation, and in words.

`d` is the whole derivative, over all paths: `dL/dh` is what `h.grad` holds. `∂` is local, of one
operation with respect to one operand: `∂z/∂h`. Where an operation has the same operand twice, the
index says which: `∂₁b/∂a` and `∂₂b/∂a` for b = a·a. No other module writes these symbols.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from typing import NamedTuple

from stepgrad.engine.notation import atom, product
from stepgrad.engine.ops import Op
from stepgrad.numbers import factor, number
from stepgrad.recording.recording import Recording
from stepgrad.replay.telling.spoken import spoken
from stepgrad.replay.telling.titles import operand_titles, short_title

MOST_LOCALS = 8
"""The most local derivatives of one node that are told; an operation may have any number."""


class LocalDerivative(NamedTuple):
    """The local derivative of an operation with respect to one of its operands.

    `name` is what it is called (`∂h/∂z1`), and `spoken_name` that for a voice. `symbols` is its
    formula (`1 − h²`), `value` its number, and `because` the condition that chose the formula at a
    kink (`z1 > 0`), or empty. `stored` says where a number without a formula is from: "stored", or
    "by differences". Nothing passes a `shut` gate, whatever arrives.
    """

    name: str
    spoken_name: str
    symbols: str
    value: float
    because: str
    shut: bool = False
    stored: str = ""

    def __str__(self) -> str:
        told = number(self.value)
        return f"{self.symbols} = {told}" if self.varies else f"{told}{self._because}"

    @property
    def varies(self) -> bool:
        """Whether it is a formula, not a constant and not a branch that a condition chose."""
        return not self.because and self.symbols != number(self.value)

    @property
    def factor(self) -> str:
        """What to multiply by: `(1 − h²)`, `0 (z1 ≤ 0)`, `(−1)`."""
        return product(self.symbols) if self.varies else self.in_numbers(number(self.value))

    def in_numbers(self, shown: str) -> str:
        """The factor with its number as `shown`: `0.79`, `0 (z1 ≤ 0)`, `(−1)`."""
        return f"{f'({shown})' if shown.startswith('−') else shown}{self._because}"

    @property
    def _because(self) -> str:
        because = self.because or self.stored
        return f" ({because})" if because else ""

    @property
    def said(self) -> str:
        """The factor for a voice: `2, the local derivative of y with respect to h, which is w`."""
        which = f"{spoken(number(self.value))}, {self.spoken_name}"
        if self.stored:
            return f"{which}, {self.stored}"
        if self.because:
            return f"{which}, because {spoken(self.because)}"
        return f"{which}, which is {spoken(self.symbols)}" if self.varies else which


class TangentTerm(NamedTuple):
    """What one operand adds to a tangent: its own tangent times the local derivative.

    `operand` is the operand's title, `tangent` its tangent.
    """

    operand: str
    local: LocalDerivative
    tangent: float

    @property
    def symbols(self) -> str:
        """The term in differentials: `∂y/∂a · da`."""
        return f"{self.local.name} · {differential(self.operand)}"

    @property
    def formula(self) -> str:
        """The term as a formula with the tangent put in: `cos(a) · 4`."""
        return "0" if self._still else f"{self.local.factor} · {factor(self.tangent)}"

    @property
    def numbers(self) -> str:
        """The term in numbers: `−0.653644 · 4`."""
        if self._still or not self.local.varies:
            return self.formula
        return f"{number(self.local.value)} · {factor(self.tangent)}"

    @property
    def _still(self) -> bool:
        """Whether the term is 0 where the product would be nan.

        An operand that does not change adds nothing, however steep the slope; nor does a shut gate.
        """
        return (not self.tangent and not isfinite(self.local.value)) or (
            self.local.shut and not isfinite(self.tangent)
        )


def receiving_slots(recording: Recording, out: int) -> Sequence[int]:
    """Return the slots of a node's operands that take a gradient: those of no constants."""
    operands = recording.node(out).operands
    return [slot for slot, each in enumerate(operands) if not recording.node(each).constant]


def local_derivative(recording: Recording, out: int, slot: int, position: int) -> LocalDerivative:
    """Explain a local derivative with the values of a position at which `out` is made."""
    node, history = recording.node(out), recording.history
    value = history.local(out, slot, position)
    operands = dict(zip(node.op.operands, node.operands, strict=True)) | {"out": out}
    values = {name: history.value(operand, position) or 0.0 for name, operand in operands.items()}
    constants = {
        name: values[name] for name, operand in operands.items() if recording.is_constant(operand)
    }
    titles = operand_titles(recording, node)
    chosen, because = node.op.partials[slot].branch(values, titles)
    formula = chosen.given(constants)
    # A condition on a constant alone (`2 ≠ 0`) teaches nothing; one that chose a number does.
    because = because if formula.constant is not None else ""
    of, by, which = titles["out"], titles[node.op.operands[slot]], _which(titles, node.op, slot)
    return LocalDerivative(
        partial(of, by, which),
        spoken_partial(of, by, which),
        formula.written(titles),
        value,
        because,
        chosen.shut,
        node.op.found,
    )


def partial_at(recording: Recording, out: int, slot: int) -> str:
    """Return what the local derivative at an edge is called: `∂z2/∂h`, `∂₁b/∂a`."""
    node = recording.node(out)
    titles = operand_titles(recording, node)
    return partial(titles["out"], titles[node.op.operands[slot]], _which(titles, node.op, slot))


def _which(titles: Mapping[str, str], op: Op, slot: int) -> int:
    """Return which argument it is, from 1, where both operands have the same title; else 0."""
    called = [titles[operand] for operand in op.operands]
    return slot + 1 if called.count(called[slot]) > 1 else 0


def derivative(of: str, by: str) -> str:
    """Write the whole derivative: `dL/dh`, `dL/d(w·x)`."""
    return f"{differential(of)}/{differential(by)}"


def partial(of: str, by: str, which: int = 0) -> str:
    """Write a local derivative: `∂z2/∂h`, or `∂₁b/∂a` with respect to the first argument."""
    index = str(which).translate(_SUBSCRIPTS) if which else ""
    return f"∂{index}{_single(of)}/∂{_single(by)}"


def differential(of: str) -> str:
    """Write d before something: `dy`, `d(w·x)`."""
    return f"d{_single(of)}"


def _single(title: str) -> str:
    """Put brackets around what is not a single name: `(w·x)`, and `(layer1/w)`, not a quotient."""
    text = atom(title)
    return f"({text})" if text == title and "/" in title.partition("(")[0] else text


def spoken_derivative(of: str, by: str) -> str:
    """Say the whole derivative: `the derivative of L with respect to h`."""
    return f"the derivative of {_said(of)} with respect to {_said(by)}"


def spoken_partial(of: str, by: str, which: int = 0) -> str:
    """Say a local derivative: `the local derivative of z2 with respect to h`."""
    operand = f"{ordinal_operand(which)}, " if which else ""
    return f"the local derivative of {_said(of)} with respect to {operand}{_said(by)}"


def ordinal_operand(which: int) -> str:
    """Name an operand by its number, from 1: `the first operand`, `operand 3`."""
    return f"the {_FIRST[which - 1]} operand" if which <= len(_FIRST) else f"operand {which}"


_FIRST = ("first", "second")
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def _said(title: str) -> str:
    """Say a title; an expression is in brackets, so that nothing else sounds like a part of it."""
    return spoken(atom(title))


def tangent_terms(recording: Recording, out: int, position: int) -> Iterator[TangentTerm]:
    """Yield the terms of a tangent, operand by operand; constants add nothing."""
    for slot, operand in enumerate(recording.node(out).operands):
        if not recording.is_constant(operand):
            yield TangentTerm(
                short_title(recording, operand),
                local_derivative(recording, out, slot, position),
                tangent_into(recording, out, operand, position),
            )


def tangent_into(recording: Recording, out: int, operand: int, position: int) -> float:
    """Return an operand's tangent in a node's pass; an operand from before it is constant."""
    before = operand < recording.history.forward_of(out).base
    return 0.0 if before else recording.history.tangent(operand, position) or 0.0
