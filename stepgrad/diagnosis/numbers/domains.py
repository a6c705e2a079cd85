"""What people do where an operation is undefined, infinite or infinitely steep (`remedy`).

Where its operands are no edge of its domain, a result only overflows, and the operation is not to
blame.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from stepgrad.engine.ops import COSH, DIV, EXP, EXPM1, LOG, LOG1P, POW, SINH, SQRT, Op

_LOGITS = (
    "take the logarithm of a softmax or a sigmoid in one formula of the logits, or add a small "
    "positive number."
)
_EXPONENT = "Subtract the largest exponent before exp, or clamp the exponent."


def remedy(op: Op, operands: Sequence[float], slot: int | None = None) -> str:
    """Say what people do about a result, or a derivative, that is not finite at finite operands.

    With a `slot`, it is the local derivative with respect to that operand. Empty if it overflows.
    """
    if op.stored:
        return "Look at the function that computes it: its own operands are finite."
    find = _REMEDIES.get(op)
    return "" if find is None else find(*operands, slot)


def _log(a: float, _slot: int | None) -> str:
    if a < 0:
        return (
            "Find out why the argument of the logarithm is below 0: it should be something that "
            "cannot be negative, such as a probability."
        )
    return f"Keep the argument of the logarithm above 0: {_LOGITS}"


def _log1p(a: float, _slot: int | None) -> str:
    if a < -1:
        return (
            "Find out why the argument is below −1: log1p takes the logarithm of what is 1 larger."
        )
    return f"Keep the argument of log1p above −1: {_LOGITS}"


def _sqrt(a: float, _slot: int | None) -> str:
    if a < 0:
        return (
            "Find out why the number under the root is below 0; if only rounding makes it so, "
            "replace it by a small positive number there."
        )
    return "Add a small positive number under the root: at 0 its slope is infinite."


def _div(a: float, b: float, _slot: int | None) -> str:
    if b and abs(a) * abs(b) >= 1:  # the numerator is further away from 1
        return ""
    return "Keep the denominator away from 0: add a small positive number to its size."


def _pow(a: float, b: float, slot: int | None) -> str:
    if a < 0 and slot == 1:
        return (
            "Keep the base above 0, or make the exponent a plain number: the slope along the "
            "exponent takes the logarithm of the base."
        )
    if a < 0 and b % 1:
        return (
            "Find out why the base is below 0: only whole powers are defined there. Where its sign "
            "does not matter, take its absolute value."
        )
    if a == 0 and b > 0:
        return "Add a small positive number to the base: at 0 the slope of this power is infinite."
    if abs(a) < 1:
        return "Keep the base away from 0: add a small positive number to its size."
    return ""


def _exponential(_a: float, _slot: int | None) -> str:
    return _EXPONENT


_REMEDIES: Mapping[Op, Callable[..., str]] = {
    LOG: _log,
    LOG1P: _log1p,
    SQRT: _sqrt,
    DIV: _div,
    POW: _pow,
    EXP: _exponential,
    EXPM1: _exponential,
    SINH: _exponential,
    COSH: _exponential,
}
