"""Backward passes that a program writes by hand, compared with reverse mode on the recorded graph.

Which writes are one, and what is wrong in it, is the diagnosis's (`rules/by_hand.py`).
"""

from __future__ import annotations

from collections.abc import Iterator

from stepgrad.checking.comparison import Comparison
from stepgrad.diagnosis.rules.by_hand import by_hand_in, hand_passes
from stepgrad.diagnosis.rules.hand_pass import LIMIT
from stepgrad.recording.blocks import Backward
from stepgrad.recording.recording import Recording
from stepgrad.replay.telling.titles import line_of, title


def by_hand(recording: Recording) -> Iterator[Comparison]:
    """Compare gradients that a program wrote by hand with the true ones; nothing if it wrote none.

    It names the first that differs, in the order in which they were finished.
    """
    passes = hand_passes(recording)
    compared, worst, where, first = 0, 0.0, "", ""
    for each in passes:
        for node, off in each.offs.items():
            compared += off == off
            if off > worst:
                worst, where = off, title(recording, node)
            if off > LIMIT and not first:
                first = each.told(node)
    if compared:
        yield Comparison(
            "written by hand", len(passes), compared, 0, worst, LIMIT, where, first=first
        )


def unclear(recording: Recording) -> str:
    """Say that gradients were written by hand of which it is not clear what was differentiated.

    Empty if there are none, or if there is a backward pass, whose gradients they may adjust.
    """
    if any(isinstance(block, Backward) for block in recording.blocks):
        return ""
    for block in recording.blocks:
        for first in by_hand_in(block):
            if first.kind != "zero":
                line = line_of(recording, first.place) if first.place else ""
                return (
                    f"gradients written by hand, from event {first.position}{line and ', '}{line}, "
                    "are not compared: it is not clear what is differentiated; set the gradient of "
                    "one output to 1 first"
                )
    return ""
