"""Arithmetic without rounding, where fractions are enough: did an operation round?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from math import isqrt, ulp
from operator import truediv
from typing import Any

from stepgrad.engine.ops import Op

_LARGEST = 64  # exponent to multiply out


def rounding(op: Op, inputs: Sequence[float], out: float) -> float:
    """Return by how much an operation may have rounded its result: an ulp, or 0 if it is exact.

    How a function of the program's own rounds is not known: it counts as an ulp.
    """
    if op.stored:
        return ulp(out)
    try:
        exact = _exactly(op)(*map(Fraction, inputs))
    except (ArithmeticError, ValueError):
        return ulp(out)
    return 0.0 if exact == Fraction(out) else ulp(out)


def _at(argument: int, result: int) -> Callable[[Fraction], Fraction]:
    """A function whose results are irrational but for one argument."""

    def function(a: Fraction) -> Fraction:
        if a != argument:
            raise ValueError("irrational")
        return Fraction(result)

    return function


def _irrational(_: Fraction) -> Fraction:
    raise ValueError("irrational")


def _root(a: Fraction) -> Fraction:
    root = Fraction(isqrt(a.numerator), isqrt(a.denominator))
    if root * root != a:
        raise ValueError("irrational")
    return root


def _power(a: Fraction, b: Fraction) -> Fraction:
    if b.denominator != 1 or abs(b) > _LARGEST:
        raise ValueError("irrational, or long")
    return a**b.numerator


_RATIONAL: dict[str, Any] = {
    **{name: _at(0, 0) for name in ("atan", "erf", "expm1", "log1p", "sin", "sinh", "tanh")},
    **{name: _at(0, 1) for name in ("cos", "cosh", "exp")},
    "abs": abs,
    "div": truediv,
    "log": _at(1, 0),
    "number": Fraction,
    "pow": _power,
    "softplus": _irrational,
    "sqrt": _root,
}
"""The functions of formulas, for fractions."""


@cache
def _exactly(op: Op) -> Callable[..., Fraction]:
    return op.forward.continued(_RATIONAL, op.operands)
