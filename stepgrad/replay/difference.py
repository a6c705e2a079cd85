"""What an edit changed: two recordings of the same program, side by side."""

from __future__ import annotations

from dataclasses import dataclass

from stepgrad.replay.state import State


@dataclass(frozen=True, slots=True)
class Difference:
    """A node's numbers before and after an edit; None where there is none."""

    name: str
    value: tuple[float | None, float | None]
    grad: tuple[float | None, float | None]


def differences(before: State, after: State) -> list[Difference]:
    """Return the named nodes whose value or gradient differs between two states, in order."""
    old, new = (state.recording.names(state.position) for state in (before, after))
    rows = []
    for name in dict.fromkeys([*old, *new]):
        pairs = [
            (
                before_question(old[name]) if name in old else None,
                after_question(new[name]) if name in new else None,
            )
            for before_question, after_question in (
                (before.value, after.value),
                (before.grad, after.grad),
            )
        ]
        if not all(_alike(*pair) for pair in pairs):
            rows.append(Difference(name, *pairs))
    return rows


def _alike(before: float | None, after: float | None) -> bool:
    return before == after or (before != before and after != after)
