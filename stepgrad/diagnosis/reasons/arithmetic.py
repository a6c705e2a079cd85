"""What decides the result of an operation: which of its operands, and in which way (`Cause`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite, log10

from stepgrad.diagnosis.reasons.chain import same_kind
from stepgrad.engine.ops import (
    ADD,
    DIV,
    EXP,
    LOG,
    LOG1P,
    MAX,
    MIN,
    POW,
    RELU,
    SIGMOID,
    SQRT,
    SUB,
    TANH,
    Op,
)
from stepgrad.numbers import number


@dataclass(frozen=True, slots=True)
class Cause:
    """Which operands decide a result, by slot, the most telling first, and how, in words.

    The words are empty where the formula with its numbers says it all. `handed_on` says that the
    result is 0, infinite or nan only because an operand is.
    """

    words: str
    slots: Sequence[int]
    handed_on: bool = False


def cause(op: Op, operands: Sequence[float], out: float) -> Cause:
    """Say what decides the result `out` of an operation on these numbers."""
    infinite = [slot for slot, x in enumerate(operands) if not isfinite(x)]
    if infinite:
        return _infected(operands, out, infinite)
    if not isfinite(out):
        return _born(op, operands)
    if out == 0:
        return _zero(op, operands)
    return _ordinary(op, operands, out)


def _infected(operands: Sequence[float], out: float, infinite: Sequence[int]) -> Cause:
    same = [slot for slot in infinite if same_kind(operands[slot], out)]
    if same:
        return Cause("", same[:1], handed_on=True)
    zeros = [slot for slot, x in enumerate(operands) if x == 0]  # inf · 0 is nan because of both
    return Cause("", [*infinite, *zeros])


def _born(op: Op, operands: Sequence[float]) -> Cause:
    """Say why a result is not finite although the operands are."""
    first = operands[0]
    if op.stored:
        return Cause("", _by_size(operands))
    if op is LOG:
        return Cause("" if first == 0 else "a logarithm is undefined below 0", [0])
    if op is LOG1P:
        return Cause("" if first == -1 else "log1p is undefined below −1", [0])
    if op is SQRT:
        return Cause("a square root is undefined below 0", [0])
    if op is DIV and operands[1] == 0:
        return Cause("a division by 0", [1] if first else [1, 0])
    if op is POW and first == 0:
        return Cause("0 to a negative power", [0])
    if op is POW and first < 0 and operands[1] % 1:
        return Cause("a fractional power is undefined below 0", [0])
    return Cause("it overflows", _by_size(operands))


def _zero(op: Op, operands: Sequence[float]) -> Cause:
    """Say why a result is 0: because an operand is, or although none is."""
    zeros = [slot for slot, x in enumerate(operands) if x == 0]
    if op in (ADD, SUB) and not zeros:
        return Cause("equal numbers cancel", [0, 1])
    if op is RELU and not zeros:
        return Cause("the gate is shut", [0])
    if op is LOG:
        return Cause("the logarithm of exactly 1", [0])
    if zeros and op not in (EXP, SIGMOID):
        return Cause("", zeros, handed_on=True)
    return Cause("it underflows", _by_size(operands))


def _ordinary(op: Op, operands: Sequence[float], out: float) -> Cause:
    """Say what a finite result owes its size to."""
    swallowed = _swallowed(op, operands, out)
    if swallowed is not None:
        return Cause(f"it swallows {number(operands[swallowed])}", [1 - swallowed, swallowed])
    if (op is SIGMOID and out == 1) or (op is TANH and abs(out) == 1):
        return Cause(f"it saturates, and rounds to exactly {number(out)}", [0])
    if op is EXP and out == 1 and operands[0]:
        return Cause("it rounds to exactly 1", [0])
    if op is DIV and operands[0] == operands[1]:
        return Cause("", [1, 0])
    if op in (MAX, MIN):
        return Cause("", [slot for slot, x in enumerate(operands) if x == out])
    if op in (ADD, SUB):
        return Cause("", sorted(range(2), key=lambda slot: -abs(operands[slot])))
    return Cause("", _by_size(operands))


def _swallowed(op: Op, operands: Sequence[float], out: float) -> int | None:
    """Return which operand of a sum is lost in rounding, if one is."""
    if op in (ADD, SUB) and all(operands):
        first, second = operands if op is ADD else (operands[0], -operands[1])
        if out == first:
            return 1
        if out == second:
            return 0
    return None


def _by_size(operands: Sequence[float]) -> Sequence[int]:
    """Return the operands in order of the decades between them and 1, the most first."""
    return sorted(range(len(operands)), key=lambda slot: -decades(operands[slot]))


def decades(x: float) -> float:
    """How many decades a number is away from 1: 3 for 1,000 and for −0.001."""
    return abs(log10(abs(x))) if x else inf
