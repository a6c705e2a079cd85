"""Derivatives in notation: ∂out/∂operand of an operation, and tangents, which are made of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite

from stepgrad.engine.notation import atom, product
from stepgrad.numbers import factor, number
from stepgrad.recording.recording import Recording
from stepgrad.replay.speech import spoken
from stepgrad.replay.titles import operand_titles, short_title


@dataclass(frozen=True, slots=True)
class LocalDerivative:
    """∂out/∂operand at an edge.

    `symbols` is the formula (`1 − h²`), `number` its value, and `because` the condition that
    chose it at a kink (`z1 > 0`), or empty. Where a gate is `shut`, nothing passes, whatever comes.
    """

    symbols: str
    value: float
    because: str
    shut: bool = False

    def __str__(self) -> str:
        told = number(self.value)
        return f"{self.symbols} = {told}" if self.varies else f"{told}{self._because}"

    @property
    def varies(self) -> bool:
        """Whether it is a formula, and no constant and no branch of one."""
        return not self.because and self.symbols != number(self.value)

    @property
    def factor(self) -> str:
        """What to multiply by: `(1 − h²)`, `0 (z1 ≤ 0)`, `(−1)`."""
        return product(self.symbols) if self.varies else self.in_numbers(number(self.value))

    def in_numbers(self, shown: str) -> str:
        """What to multiply by, as a number that is shown so: `0.79`, `0 (z1 ≤ 0)`, `(−1)`."""
        return f"{f'({shown})' if shown.startswith('−') else shown}{self._because}"

    @property
    def _because(self) -> str:
        return f" ({self.because})" if self.because else ""

    @property
    def said(self) -> str:
        """The same for a voice: `1 minus h squared, which is 0.79`."""
        rate = spoken(number(self.value))
        if self.because:
            return f"{rate}, because {spoken(self.because)}"
        if self.symbols != number(self.value):
            return f"{spoken(self.symbols)}, which is {rate}"
        return rate


@dataclass(frozen=True, slots=True)
class TangentTerm:
    """What one operand adds to a tangent: its own, times the local derivative.

    `out` and `operand` are the titles of the two nodes, `tangent` is that of the operand.
    """

    out: str
    operand: str
    local: LocalDerivative
    tangent: float

    @property
    def symbols(self) -> str:
        """The term in differentials: `∂y/∂a · da`."""
        return f"{derivative(self.out, self.operand)} · {differential(self.operand)}"

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
        """Whether nothing changes here: what does not change, changes nothing by any slope.

        Nor does anything that comes to a shut gate.
        """
        return (not self.tangent and not isfinite(self.local.value)) or (
            self.local.shut and not isfinite(self.tangent)
        )


def local_derivative(recording: Recording, out: int, slot: int, position: int) -> LocalDerivative:
    """Explain ∂out/∂operand with the values of a position at which `out` is made."""
    node, history = recording.node(out), recording.history
    value = history.local(out, slot, position)
    operands = dict(zip(node.op.operands, node.operands, strict=True)) | {"out": out}
    values = {name: history.value(operand, position) or 0.0 for name, operand in operands.items()}
    constants = {
        name: values[name] for name, operand in operands.items() if recording.node(operand).constant
    }
    titles = operand_titles(recording, node)
    chosen, because = node.op.partials[slot].branch(values, titles)
    formula = chosen.given(constants)
    # A condition on a constant alone (`2 ≠ 0`) teaches nothing; one that chose a number does.
    because = because if formula.constant is not None else ""
    return LocalDerivative(formula.written(titles), value, because, chosen.shut)


def derivative(over: str, under: str) -> str:
    """∂over/∂under, with brackets around an unnamed expression."""
    return f"∂{atom(over)}/∂{atom(under)}"


def differential(of: str) -> str:
    """Write d before something, brackets around an unnamed expression: `dy`, `d(w·x)`."""
    return f"d{atom(of)}"


def tangent_terms(recording: Recording, out: int, position: int) -> Iterator[TangentTerm]:
    """Yield what a tangent is the sum of, an operand after the other; constants add nothing."""
    for slot, operand in enumerate(recording.node(out).operands):
        if not recording.is_constant(operand):
            yield TangentTerm(
                short_title(recording, out),
                short_title(recording, operand),
                local_derivative(recording, out, slot, position),
                tangent_into(recording, out, operand, position),
            )


def tangent_into(recording: Recording, out: int, operand: int, position: int) -> float:
    """Return the tangent that an operand brings to a node; one from before the pass is constant."""
    before = operand < recording.history.forward_of(out).base
    return 0.0 if before else recording.history.tangent(operand, position) or 0.0
