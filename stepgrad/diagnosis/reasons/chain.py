"""What a chain of reasons is made of: numbers, and the links between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Literal

from stepgrad.engine.notation import atom
from stepgrad.recording import events
from stepgrad.recording.recording import Recording
from stepgrad.replay.telling.narration import program_line, written_at
from stepgrad.replay.telling.titles import title

Of = Literal["value", "gradient", "tangent"]
"""What number of a node it is."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number of a node, as it is at a position."""

    of: Of
    node: int
    position: int

    def name(self, recording: Recording) -> str:
        """What it is called: `w`, `w.grad` or `the tangent of w`."""
        name = title(recording, self.node)
        return {
            "value": name,
            "gradient": f"{atom(name)}.grad",
            "tangent": f"the tangent of {name}",
        }[self.of]

    def read(self, recording: Recording) -> float | None:
        """The number itself; None where there is none yet."""
        history = recording.history
        ask = {"value": history.value, "gradient": history.grad, "tangent": history.tangent}
        return ask[self.of](self.node, self.position)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a number is what it is.

    Args:
        position: where to see it: just after the event that it is about.
        node: the node that it is about.
        text: one sentence, without the event and its line.
        birth: whether a number that is not finite comes into being with this event.
    """

    position: int
    node: int
    text: str
    birth: bool = False

    def line(self, recording: Recording) -> str:
        """Return the line of the program that did it, such as `train.py:12`; empty if unknown."""
        match recording.events[self.position - 1]:
            case events.Accumulate(out=out, by_hand=None):
                return program_line(recording, recording.node(out))
            case events.Leaf() | events.Op():
                return program_line(recording, recording.node(self.node))
        return written_at(recording, self.position - 1)


@dataclass(frozen=True, slots=True)
class Link:
    """What is to say about a number, and which numbers to go on with, the most telling first.

    It is `dull` where the number only hands on what it is made of. The reasons of such a link are
    seldom read, and put into words then.
    """

    reasons: Iterable[Reason]
    then: Sequence[Number] = ()
    dull: bool = False


def same_kind(a: float, b: float) -> bool:
    """Whether both are nan, or both infinite: then one may simply be handed on as the other."""
    return not isfinite(a) and not isfinite(b) and (a != a) == (b != b)
