"""The phases of a stretch of a recording: what a timeline shows, and a voice lists."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from stepgrad.recording.blocks import Marked
from stepgrad.recording.kept import kept
from stepgrad.recording.recording import Recording


class PhaseRun(NamedTuple):
    """A phase, from position `first`, at which nothing of it has happened, to its `last`."""

    phase: str
    first: int
    last: int


@kept(8)
def phases(recording: Recording, begin: int, end: int) -> Sequence[PhaseRun]:
    """Return the phases between two positions, in order."""
    blocks = [
        block for block in recording.blocks_between(begin, end) if not isinstance(block, Marked)
    ]
    runs = []
    for phase, group in groupby(blocks, key=lambda block: block.phase):
        members = list(group)
        runs.append(PhaseRun(phase, members[0].start, members[-1].start + members[-1].length))
    return runs
