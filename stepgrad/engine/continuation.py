"""The functions of formulas, for complex numbers.

Complex steps (`gradcheck`) need each function a hair off the real axis, without its derivative rule
and to the last digits. What `cmath` lacks is computed from definitions: `expm1` and `log1p` from
real and imaginary parts, and `erf` from series (Abramowitz and Stegun, "Handbook of Mathematical
Functions", 1964, 7.1.6 and 7.1.14).
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Mapping
from operator import truediv
from typing import Any


def _power(base: complex, exponent: complex) -> complex:
    """Raise to a power; integer powers by products, which Python does only up to 100.

    Raises:
        ValueError: the real power is not defined on both sides of the base.
    """
    if abs(exponent.real) >= 2**53:
        raise ValueError("too large to tell whether it is even")
    if exponent.imag == 0 and exponent.real.is_integer():
        if exponent.real < 0:
            return 1 / _power(base, -exponent)
        result, left = 1 + 0j, int(exponent.real)
        while left:
            result = result * base if left & 1 else result
            base, left = base * base, left >> 1
        return result
    if base.real <= 0:
        raise ValueError("a root, or a derivative with respect to the exponent, at a base ≤ 0")
    return pow(base, exponent)


def _expm1(z: complex) -> complex:
    """e^z − 1 = (e^x − 1)·cos y − 2·sin²(y/2) + i·e^x·sin y: nothing cancels near 0."""
    x, y = z.real, z.imag
    real = math.expm1(x) * math.cos(y) - 2 * math.sin(y / 2) ** 2
    return complex(real, math.exp(x) * math.sin(y))


def _log1p(z: complex) -> complex:
    """log(1 + z): where z is small, from |1 + z|² − 1 = x·(2 + x) + y²."""
    x, y = z.real, z.imag
    if abs(z) > _SMALL:
        return cmath.log(1 + z)
    return complex(math.log1p(x * (2 + x) + y * y) / 2, math.atan2(y, 1 + x))


def _softplus(z: complex) -> complex:
    return z + _log1p(cmath.exp(-z)) if z.real > 0 else _log1p(cmath.exp(z))


def _erf(z: complex) -> complex:
    """Near 0, a series whose terms do not cancel; elsewhere 1 − erfc, from a continued fraction."""
    if z.real < 0:
        return -_erf(-z)
    if abs(z) > _FAR:
        rest: complex = 0.0
        for n in range(_FRACTIONS, 0, -1):
            rest = n / 2 / (z + rest)
        return 1 - cmath.exp(-z * z) / (z + rest) / math.sqrt(math.pi)
    term, total, n = z, z, 0
    while abs(term) > _DIGITS * abs(total):
        n += 1
        term *= 2 * z * z / (2 * n + 1)
        total += term
    return 2 / math.sqrt(math.pi) * cmath.exp(-z * z) * total


_SMALL = 0.5
_FAR, _FRACTIONS = 2.0, 120
_DIGITS = 1e-17

COMPLEX: Mapping[str, Any] = {
    **{
        name: getattr(cmath, name)
        for name in ("atan", "cos", "cosh", "exp", "log", "sin", "sinh", "sqrt", "tanh")
    },
    "abs": lambda a: -a if a.real < 0 else a,
    "div": truediv,
    "erf": _erf,
    "expm1": _expm1,
    "log1p": _log1p,
    "number": float,
    "pow": _power,
    "softplus": _softplus,
    "π": math.pi,
}
"""By the names that formulas use; `number` makes such a number of a float."""
