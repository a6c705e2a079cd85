"""Derivatives of a function that is known only by calling it.

A complex step is exact (see `gradcheck`), but a function may refuse complex numbers, or drop their
imaginary part, as `abs` does. So it counts only where differences agree with it. Elsewhere there
are differences, at two step sizes and extrapolated, which have about ten digits.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from math import inf, isfinite, nan, ulp
from sys import float_info
from typing import NamedTuple

BY_STEPS, BY_DIFFERENCES = "complex steps", "differences"
"""How a derivative is found."""

_STEP = float_info.epsilon ** (1 / 5)
"""Of differences, relative to the operand: then truncation and rounding are about as large."""

_LIKE = 1e-4
"""How far, relative to its size, a complex step may be off differences beyond their own error."""

_UNSURE = 0.1
"""The relative error of differences above which they may be those of a jump."""

_TINY = 1e-150

_FAILS = (ArithmeticError, AttributeError, TypeError, ValueError)


class Estimate(NamedTuple):
    """A derivative, the size of its error, and how it was found; nan where there is none."""

    value: float
    error: float
    by: str

    @property
    def relative(self) -> float:
        """The error relative to the derivative; inf where there is none."""
        return inf if self.error == inf else self.error / max(abs(self.value), _TINY)


def derivative(function: Callable[..., float], inputs: Sequence[float], slot: int) -> Estimate:
    """Return the derivative of a function of floats with respect to one of its operands."""
    x = inputs[slot]
    size = abs(x) or 1e-3
    sizes = dict.fromkeys((max(1.0, size), 1.0, size, size / 64))
    differences = _best(function, inputs, slot, sizes)
    if differences.error == inf:  # the domain may end nearby
        differences = _best(function, inputs, slot, [size / 8**more for more in range(3, 10)])
    stepped = _complex_step(function, inputs, slot)
    off = abs(stepped - differences.value)
    allowed = 10 * differences.error + _LIKE * abs(stepped)
    if isfinite(stepped) and (off <= allowed or (stepped and differences.error == inf)):
        return Estimate(stepped, 0.0, BY_STEPS)
    return differences


def _best(
    function: Callable[..., float], inputs: Sequence[float], slot: int, sizes: Iterable[float]
) -> Estimate:
    """Return the best differences of those with steps for numbers of these sizes."""
    estimates = [_difference(function, inputs, slot, _STEP * size) for size in sizes]
    best = min(estimates, key=lambda each: each.relative)
    if _UNSURE < best.relative < 1 and estimates[-1].error > 8 * estimates[0].error:
        return Estimate(nan, inf, BY_DIFFERENCES)  # a jump: it is steeper the closer one looks
    return best


def complex_step(x: float) -> float:
    """How far to step into the complex plane: its square must be negligible beside the number.

    But not so far that sines turn into exponentials, nor so little that digits are lost.
    """
    size = abs(x)
    return min(max(size * 1e-40, min(size * 1e-10, 1e-150)), 1e-20) or 1e-150


def _complex_step(function: Callable[..., float], inputs: Sequence[float], slot: int) -> float:
    """Return the derivative by a complex step; nan if the function takes no complex numbers."""
    step = complex_step(inputs[slot])
    given: list[complex] = [*inputs]
    given[slot] = complex(inputs[slot], step)
    try:
        with _silence():
            result: object = function(*given)
    except (*_FAILS, Warning):
        return nan
    return float(result.imag) / step if isinstance(result, complex) else nan


@contextmanager
def _silence() -> Iterator[None]:
    """Show no warnings: numpy's that a complex number becomes a real one is not for the program.

    The filters of warnings stay as they are, or those that were shown once would be shown again.
    """
    shown = warnings.showwarning
    warnings.showwarning = lambda *_, **__: None
    try:
        yield
    finally:
        warnings.showwarning = shown


def _difference(
    function: Callable[..., float], inputs: Sequence[float], slot: int, step: float
) -> Estimate:
    """Return central differences at a step and at its double, extrapolated to none."""
    (near, rounding), (far, _) = (_quotient(function, inputs, slot, h) for h in (step, 2 * step))
    value, error = near + (near - far) / 3, abs(near - far) + rounding
    return Estimate(value, error if isfinite(error) else inf, BY_DIFFERENCES)


def _quotient(
    function: Callable[..., float], inputs: Sequence[float], slot: int, step: float
) -> tuple[float, float]:
    """Return a central difference, and how far rounding may have moved it."""
    up, down = [*inputs], [*inputs]
    up[slot] += step
    down[slot] -= step
    try:
        above, below = float(function(*up)), float(function(*down))
        between = up[slot] - down[slot]
        return (above - below) / between, (ulp(above) + ulp(below)) / between
    except _FAILS:
        return nan, nan
