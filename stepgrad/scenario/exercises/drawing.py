"""The numbers of a student: drawn again they are the same, and a neighbour has others."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stepgrad.scenario.form.exercise import Exercise


def drawn(exercise: Exercise, title: str, place: int, student: str) -> dict[str, float]:
    """Return the numbers that an exercise, which is number `place`, has for a student.

    They have as many decimals as the ends of their intervals. 0 is drawn only if it is an end: in
    the middle of an interval it would be a case of its own. Without a student, nothing is drawn.
    """
    name = " ".join(student.casefold().split())
    if not name:
        return {}
    chance = Random(f"{name}/{title}/{place}".encode(errors="surrogatepass"))
    return {leaf: _number(chance, *ends) for leaf, ends in exercise.vary.items()}


def _number(chance: Random, low: float, high: float) -> float:
    ends = [Decimal(repr(end)).normalize() for end in (low, high)]
    unit = min(Decimal(1).scaleb(min(0, int(end.as_tuple().exponent))) for end in ends)
    first, last = (int(end / unit) for end in ends)
    between = first < 0 < last
    count = chance.randrange(first, last + (not between))
    return float(unit * (count + 1 if between and count >= 0 else count))
