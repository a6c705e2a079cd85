"""How far gradients may differ where a program computes in coarser numbers than ours."""

from __future__ import annotations

from collections.abc import Iterable

from stepgrad.recording.foreign.remark import ROUNDED, Remark

_ROUNDINGS = 1000
"""How many roundings a gradient may be off.

The program computes it in its own numbers, and in another order. Each of n additions may round
once, and errors grow as √n to n; a wrong rule is off by far more. It is relative to the terms: a
sum that cancels is as inexact as its largest term.
"""

_MOST = 0.05
"""The most that it may be off, for numbers so coarse that a thousand roundings hide everything."""

_PRECISIONS = {"float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}


def limit(precision: float) -> float:
    """Return how far gradients may differ, relative to their terms, for numbers of a precision."""
    return min(_ROUNDINGS * precision, _MOST)


def spacing(remarks: Iterable[Remark]) -> float:
    """Return how far the coarsest numbers of the program are apart at 1; 0 if it has ours."""
    names = (remark.text for remark in remarks if remark.kind == ROUNDED)
    return max((_PRECISIONS.get(name, 1.0) for name in names), default=0.0)


def coarseness(remarks: Iterable[Remark]) -> float:
    """Return how far gradients may differ by the rounding of the program; 0 if it is as ours."""
    apart = spacing(remarks)
    return limit(apart) if apart else 0.0
