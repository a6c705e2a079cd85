"""Which backward passes of a recording are checked (`passes`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from math import isfinite

from stepgrad.checking.passes import Pass
from stepgrad.recording.blocks import Backward, Forward, Write
from stepgrad.recording.foreign.sweep import ForeignBackward
from stepgrad.recording.recording import Recording

PASSES = 3
"""The number of passes to check in training: the first, the last, and one between."""


def passes(recording: Recording) -> list[Pass]:
    """Return the backward passes to check: of many, the first, the last, and one between.

    Also the first with a gradient that is not finite, and the first before which a value was
    changed that its forward pass has used, or may have. Those that a program runs itself are
    checked rule by rule (`by_rules`).
    """
    blocks = [
        block
        for block in recording.blocks
        if isinstance(block, Backward) and not isinstance(block, ForeignBackward)
    ]
    count = min(PASSES, len(blocks))
    picked = {round(i * (len(blocks) - 1) / max(count - 1, 1)) for i in range(count)}
    picked |= set(_suspects(recording, blocks))
    return [Pass.of(recording, blocks[i]) for i in sorted(picked)]


def _suspects(recording: Recording, passes: Sequence[Backward]) -> Iterator[int]:
    """Yield the passes that look suspicious: the first of each kind."""
    finite = (all(map(isfinite, block.grads)) for block in passes)
    yield from islice((i for i, whole in enumerate(finite) if not whole), 1)
    changed, number = False, 0
    for block in recording.blocks:
        match block:
            case Forward():
                changed = False
            case Write():
                changed = changed or bool(block.writes.updates)
            case ForeignBackward():
                pass
            case Backward():
                if changed:
                    yield number
                    return
                number += 1
