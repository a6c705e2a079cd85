"""Training as a whole: which parameters it changes, and how they went."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from stepgrad.recording.recording import Recording


def parameters(recording: Recording) -> Sequence[int]:
    """Return the nodes whose values the program updates, in the order of creation."""
    return _parameters(recording, len(recording.blocks))


@lru_cache(maxsize=4)
def _parameters(recording: Recording, _blocks: int) -> tuple[int, ...]:
    return tuple(recording.history.updated())


def course(recording: Recording, node: int, points: int) -> Sequence[float]:
    """Return a node's value at up to `points` training steps, evenly spread, the last included."""
    return _course(recording, len(recording.blocks), node, points)


@lru_cache(maxsize=256)
def _course(recording: Recording, _blocks: int, node: int, points: int) -> tuple[float, ...]:
    steps = [*recording.steps[1:], recording.length]
    count = min(points, len(steps))
    picked = (steps[(i + 1) * len(steps) // count - 1] for i in range(count))
    values = (recording.history.value(node, position) for position in picked)
    return tuple(value for value in values if value is not None)
