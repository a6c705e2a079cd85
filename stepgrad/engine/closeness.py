"""How far two numbers differ that sum up the same terms (`relative`)."""

from __future__ import annotations

from math import inf, isfinite, nan

FAINTEST = 1e-150
"""Gradients below this count as 0: products of such numbers have no digits left."""


def relative(ours: float, other: float, size: float) -> float:
    """The difference of two numbers, relative to the terms that they sum up.

    nan if the other is not finite, so that there is nothing to compare with.
    """
    if not isfinite(other):
        return nan
    if not isfinite(ours):
        return inf
    if ours == other:
        return 0.0
    return abs(ours - other) / max(size, abs(ours), abs(other), FAINTEST)
