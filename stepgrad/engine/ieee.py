"""Floating-point arithmetic that returns inf or nan where Python raises.

Python's `math` stops a program at `log(0)`; IEEE 754, C and PyTorch continue with −inf, and so must
a debugger whose users look for exactly that number. Each function here takes and returns floats,
never raises, and returns what PyTorch returns in float64, infinities and nan included.
"""

import math
from math import atan, erf, inf, nan, tanh

__all__ = [
    "atan", "cos", "cosh", "div", "erf", "exp", "expm1", "log", "log1p", "pow", "sin", "sinh",
    "softplus", "sqrt", "tanh",
]  # fmt: skip


def div(a: float, b: float) -> float:
    """The quotient a/b: ±inf for a nonzero number over zero, nan for 0/0."""
    try:
        return a / b
    except ZeroDivisionError:
        return nan if a == 0 or a != a else math.copysign(inf, a) * math.copysign(1.0, b)


def pow(a: float, b: float) -> float:  # noqa: A001 - the formulas read like mathematics
    """The power a**b as in C: 0**0 is 1, a negative base with a fractional exponent is nan."""
    try:
        return math.pow(a, b)
    except OverflowError:
        return -inf if a < 0 and abs(math.fmod(b, 2)) == 1 else inf
    except ValueError:
        if a != 0:
            return nan
        return math.copysign(inf, a) if abs(math.fmod(b, 2)) == 1 else inf


def exp(a: float) -> float:
    """The exponential e**a: inf if it overflows."""
    try:
        return math.exp(a)
    except OverflowError:
        return inf


def expm1(a: float) -> float:
    """e**a − 1, with all digits where e**a is near 1: inf if it overflows."""
    try:
        return math.expm1(a)
    except OverflowError:
        return inf


def log(a: float) -> float:
    """The natural logarithm: −inf at zero, nan below."""
    try:
        return math.log(a)
    except ValueError:
        return -inf if a == 0 else nan


def log1p(a: float) -> float:
    """log(1 + a), with all digits where a is near 0: −inf at −1, nan below."""
    try:
        return math.log1p(a)
    except ValueError:
        return -inf if a == -1 else nan


def softplus(a: float) -> float:
    """log(1 + e**a), with all digits at both ends: nearly e**a far below 0, nearly a far above."""
    return a + math.log1p(math.exp(-a)) if a > 0 else math.log1p(math.exp(a))


def sqrt(a: float) -> float:
    """The square root: nan below zero."""
    try:
        return math.sqrt(a)
    except ValueError:
        return nan


def sin(a: float) -> float:
    """The sine of an angle in radians: nan at ±inf."""
    try:
        return math.sin(a)
    except ValueError:
        return nan


def cos(a: float) -> float:
    """The cosine of an angle in radians: nan at ±inf."""
    try:
        return math.cos(a)
    except ValueError:
        return nan


def sinh(a: float) -> float:
    """The hyperbolic sine: ±inf if it overflows."""
    try:
        return math.sinh(a)
    except OverflowError:
        return math.copysign(inf, a)


def cosh(a: float) -> float:
    """The hyperbolic cosine: inf if it overflows."""
    try:
        return math.cosh(a)
    except OverflowError:
        return inf
