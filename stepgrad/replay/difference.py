"""What an edit changed: two recordings of the same program, side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain

from stepgrad.replay.state import State

Change = tuple[float | None, float | None]
"""A number before and after an edit; None where there is none."""


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
    return [row for row in rows if not all(map(_alike, (row.value, row.grad, row.tangent)))]


def _alike(change: Change) -> bool:
    before, after = change
    return before == after or (before != before and after != after)
