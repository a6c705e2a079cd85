"""How verdicts list what they are about."""

from __future__ import annotations

from collections.abc import Iterable

from stepgrad.recording.recording import Recording
from stepgrad.replay.telling.titles import title

_NAMED = 4


def listed(recording: Recording, nodes: Iterable[int]) -> str:
    """The names of some nodes: `w1, w2`; of many, the first four and how many more there are."""
    names = [*dict.fromkeys(title(recording, node) for node in nodes)]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
