"""Why a number is what it is: a short chain of reasons, down to what a person can change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from stepgrad.recording.recording import Recording
from stepgrad.replay.gradients.ledger import last_write
from stepgrad.replay.telling.narration import narrate

Of = Literal["value", "gradient", "tangent"]
"""What number of a node it is."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a number is what it is.

    Args:
        position: where to see it: just after the event that it is about.
        node: the node that it is about.
        text: one sentence, without the event.
    """

    position: int
    node: int
    text: str


def reasons(recording: Recording, node: int, position: int, of: Of = "value") -> Sequence[Reason]:
    """Return why a number of a node is what it is at a position: the event that has written it."""
    if of == "gradient":
        written = last_write(recording, node, position)
        if written is None:
            return [Reason(position, node, "nothing has reached it yet")]
        return [Reason(written + 1, node, str(narrate(recording, written)))]
    made = recording.history.made_at(node)
    return [Reason(made, node, str(narrate(recording, made - 1)))]
