"""Why a number is what it is: a short chain of reasons, down to what a person can change.

The walk starts at a value, a gradient or a tangent at a position. Each number is explained by the
event that made it, and by what it was made of, which is explained next. `values`, `gradients` and
`tangents` explain one kind of number each, and `writes` those that were written in place.
`arithmetic` says what decides the result of an operation, `slopes` a local derivative; `received`
is what a gradient is made of, `decades` says what makes one huge or tiny, and `since` what has
changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from stepgrad.diagnosis.reasons.chain import Link, Number, Of, Reason
from stepgrad.diagnosis.reasons.gradients import explain_gradient
from stepgrad.diagnosis.reasons.since import changed_since
from stepgrad.diagnosis.reasons.tangents import explain_tangent
from stepgrad.diagnosis.reasons.values import explain_value
from stepgrad.recording.recording import Recording
from stepgrad.replay.state import State

__all__ = ["Number", "Of", "Reason", "chain", "explained", "reasons"]

MOST = 8
"""The most reasons that are given: what fits a small window."""

_FARTHEST = 10_000  # numbers that a chain goes through without a word


def reasons(recording: Recording, node: int, position: int, of: Of = "value") -> Sequence[Reason]:
    """Return why a number of a node is what it is at a position: at most eight reasons.

    Raises:
        IndexError: the recording has no such node.
    """
    recording.check(node)
    number = Number(of, node, position)
    found = [*islice(chain(recording, number), MOST)]
    changed = changed_since(recording, number)
    return [*found, changed][:MOST] if changed else found


def explained(state: State, node: int) -> Iterator[tuple[Number, Sequence[Reason]]]:
    """Yield a node's value and its derivative at a position, each with its reasons."""
    derivative: Of = "gradient" if state.tangent(node) is None else "tangent"
    for of in ("value", derivative):
        number = Number(of, node, state.position)
        yield number, reasons(state.recording, node, state.position, of)


def chain(recording: Recording, number: Number) -> Iterator[Reason]:
    """Yield the reasons for a number, the nearest first.

    Where a number only hands on what it is made of, such as a nan, there is nothing to say about
    it; but about the first there always is.
    """
    pending, seen, said = [number], {number}, set[Reason]()
    while pending and len(seen) < _FARTHEST:
        at = pending.pop()
        link = _explain(recording, at, first=at is number)
        if at is number or not link.dull:
            new_ones = [each for each in link.reasons if each not in said]
            yield from new_ones
            said.update(new_ones)
        new = [each for each in dict.fromkeys(link.then) if each not in seen]
        seen.update(new)
        pending += reversed(new)


def _explain(recording: Recording, number: Number, *, first: bool) -> Link:
    match number.of:
        case "value":
            return explain_value(recording, number)
        case "gradient":
            return explain_gradient(recording, number, first=first)
        case "tangent":
            return explain_tangent(recording, number)
