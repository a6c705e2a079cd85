"""Which training steps a page has: all of a short recording, those asked for of a longer one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from stepgrad.errors import StepgradError
from stepgrad.export.position import end
from stepgrad.recording.recording import Recording
from stepgrad.replay.state import State
from stepgrad.replay.training import trains

MOST = 5000
"""The most events of a page: it opens at once, and can be sent by mail."""


def chosen(
    recording: Recording, steps: Sequence[int] | None = None, at: int | None = None
) -> Sequence[int]:
    """Return the ends of the training steps to show.

    These are the steps with the numbers given. Without numbers, it is all of a recording that a
    page has room for, and of a longer one the step around a position, if that is given.

    Raises:
        StepgradError: there is no such step, or there are too many events for a page.
    """
    ends = [*_ends(recording)]
    if steps is not None:
        ends = [*_numbered(recording, ends, steps)]
    elif recording.length > MOST and at is not None:
        ends = [State(recording, at).step_bounds[1]]
    bounds = (State(recording, each).step_bounds for each in ends)
    events = sum(last - begin for begin, last in bounds)
    if events > MOST:
        raise StepgradError(_too_many(recording, events, chosen=len(ends) < len(recording.steps)))
    return ends


def _ends(recording: Recording) -> Iterator[int]:
    """Yield the last position of each step, and of what comes before the first."""
    starts = recording.steps if len(recording.steps) > 1 else ()
    bounds = [0, *(start for start in starts if start), recording.length]
    yield from (last for begin, last in pairwise(bounds) if last > begin or not recording.length)


def _numbered(recording: Recording, ends: Sequence[int], steps: Sequence[int]) -> Iterator[int]:
    """Yield the ends of the steps with these numbers, in the order of the recording."""
    numbers = {State(recording, each).step: each for each in ends if trains(recording)}
    numbers.pop(None, None)
    if not numbers:
        raise StepgradError(f"{recording.name}: there are no training steps to choose from")
    known = [each for each in numbers if each is not None]
    for step in steps:
        if step not in numbers:
            raise StepgradError(
                f"{recording.name}: there is no step {step}; steps are {known[0]} to {known[-1]}"
            )
    yield from sorted({numbers[step] for step in steps})


def _too_many(recording: Recording, events: int, *, chosen: bool) -> str:
    found = f"{recording.name}: {events:,} events are too many for a page, which holds {MOST:,}"
    if chosen:
        return f"{found}; choose fewer steps"
    if not trains(recording):
        return f"{found}; without --replay, a page has one position"
    first, last = (State(recording, p).step for p in (recording.steps[0] + 1, end(recording)))
    return f"{found}; choose training steps, such as --steps {first},{last}"
