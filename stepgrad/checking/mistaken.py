"""What is wrong with a gradient that a person has worked out, where its number shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from math import isclose, isnan
from typing import NamedTuple

from stepgrad.diagnosis.rules.hand_pass import LIMIT
from stepgrad.engine.closeness import relative
from stepgrad.numbers import number
from stepgrad.recording.recording import Recording
from stepgrad.scenario.exercises.mistakes import Mistake, of_chain, of_others, scaled, sign

_SAME = 1e-5
"""How far a number may be off the one of a mistake, relative to itself."""


class Answer(NamedTuple):
    """A gradient that was returned, or None, beside the right one and the size of its terms."""

    got: float | None
    right: float
    size: float

    @property
    def is_right(self) -> bool:
        """Whether the two agree; where the right one is inf or nan, they have to be the same."""
        if self.got is None:
            return False
        off = relative(self.got, self.right, self.size)
        return off <= LIMIT or (isnan(off) and repr(self.got) == repr(self.right))


class Arrived(NamedTuple):
    """The gradient that arrives at the only result: 1 if `name` is empty."""

    recording: Recording
    name: str
    number: float


def mistaken(name: str, node: int, answers: Mapping[str, Answer], arrived: Arrived | None) -> str:
    """Return a clause that says which mistake gives a wrong gradient; empty if none is known.

    Args:
        name: what it is the gradient of.
        node: the same in a recording.
        answers: all gradients, by name.
        arrived: what arrives at the result; None if there are several results.
    """
    got, right, _ = answers[name]
    if not got or not right:
        return ""
    for other, answer in answers.items():
        if _same(got, answer.right) and _same(answer.got or 0.0, right):
            return f"{name} and {other} are swapped"
    others = {f"the gradient of {other}": each.right for other, each in answers.items()}
    known = chain([sign(right)], _of_result(right, node, arrived), of_others(others), scaled(right))
    return next((each.text for each in known if _same(got, each.number)), "")


def _of_result(right: float, node: int, arrived: Arrived | None) -> Iterator[Mistake]:
    """Yield the mistakes that can be made on the way from a single result."""
    if arrived is None:
        return
    if arrived.name:
        text = f"it is not multiplied by {arrived.name} = {number(arrived.number)}"
        yield Mistake(right / arrived.number, text)
    for each in of_chain(arrived.recording, node):
        yield each._replace(number=each.number * arrived.number)


def _same(one: float, other: float) -> bool:
    return isclose(one, other, rel_tol=_SAME)
