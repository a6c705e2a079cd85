"""Kinds of value that several sections share."""

# There is no `from __future__ import annotations`: it would turn the annotations into text.

from typing import Annotated, TypeAlias

from stepgrad.scenario.form.kinds import Called, finite


def _ascending(interval: tuple[float, float]) -> str:
    low, high = interval
    return f"the lower end {low:g} is above the upper end {high:g}" if low > high else ""


Finite: TypeAlias = Annotated[float, finite]
Interval: TypeAlias = Annotated[tuple[Finite, Finite], _ascending]
Name: TypeAlias = Annotated[str, Called("a name")]
