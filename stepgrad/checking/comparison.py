"""How far two ways to the same derivatives are apart."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite, nan

GATE = 1e-10
"""How far derivatives in double precision may be off, relative to the terms they are sums of."""

FAINTEST = 1e-150
"""Gradients below this count as nothing: products of such numbers have no digits left."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What one other way makes of a recording.

    `passes` were looked at, and `compared` gradients: each by itself, or in random sums of all;
    `skipped` ones are not finite in the other way. `worst` is the largest difference, relative to
    the sum of the absolute terms of the gradient; at most `limit`, where there is one. `where` says
    whose gradient that is, and `own_error` how far the other way may be off there. `note` is what
    is to be known besides. Where the two disagree, `first` says what is the first to be wrong on
    the way back; `odds` says what a way without a limit has against a gradient.
    """

    way: str
    passes: int
    compared: int
    skipped: int
    worst: float
    limit: float | None
    where: str = ""
    note: str = ""
    first: str = ""
    own_error: float | None = None
    odds: str = ""

    @property
    def ok(self) -> bool:
        """Whether the two ways agree."""
        return not self.odds and (self.limit is None or self.worst <= self.limit)


def relative(ours: float, other: float, size: float) -> float:
    """The difference of two numbers, relative to the terms that they are sums of.

    nan where the other is not finite, and so no number to compare with.
    """
    if not isfinite(other):
        return nan
    if not isfinite(ours):
        return inf
    if ours == other:
        return 0.0
    return abs(ours - other) / max(size, abs(ours), abs(other), FAINTEST)
