"""How far two ways to compute the same derivatives differ."""

from __future__ import annotations

from dataclasses import dataclass

GATE = 1e-10
"""How far derivatives in double precision may differ, relative to the terms that they sum up."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result of comparing a recording with one other way.

    `passes` and `compared` count the passes and the gradients compared, each by itself or in random
    sums of all; `skipped` counts those that are not finite in the other way. `worst` is the largest
    difference, relative to the sum of the absolute terms of the gradient, and at most `limit`, if
    there is one. `where` says whose gradient that is, and `own_error` is the error of the other way
    there. `note` has remarks. If the two disagree, `first` names the first edge or gradient to be
    wrong in the backward pass; `odds` says how a way without a limit contradicts a gradient.
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
