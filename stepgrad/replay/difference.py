"""What differs between two recordings at a position in each, by name.

Numbers are alike if they are equal, or both are nan. 0 and −0 are alike: no sum or product tells
them apart, and where a quotient does, its infinities differ.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain

from stepgrad.replay.state import State

Change = tuple[float | None, float | None]
"""A number in two recordings, before and after an edit; None where there is none."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A node's numbers before and after an edit.

    A node made in forward mode has a tangent; others may have a gradient.
    """

    name: str
    value: Change
    grad: Change
    tangent: Change


def differences(before: State, after: State) -> list[Difference]:
    """Return the named nodes with a number that differs between two states, in order."""
    states = before, after
    names = [state.recording.names(state.position) for state in states]

    def change(name: str, ask: Callable[[State, int], float | None]) -> Change:
        old, new = (
            ask(state, named[name]) if name in named else None
            for state, named in zip(states, names, strict=True)
        )
        return old, new

    rows = (
        Difference(name, change(name, State.value), change(name, State.grad),
                   change(name, State.tangent))
        for name in dict.fromkeys(chain(*names))
    )  # fmt: skip
    changes = ((row, (row.value, row.grad, row.tangent)) for row in rows)
    return [row for row, each in changes if not all(alike(*change) for change in each)]


def alike(before: float | None, after: float | None) -> bool:
    """Whether two numbers count as the same."""
    return before == after or (before != before and after != after)
