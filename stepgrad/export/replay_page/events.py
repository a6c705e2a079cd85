"""What happens at each position of the page, in the words of the debugger; and where keys lead."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from stepgrad.export.figure import where
from stepgrad.printable import printable
from stepgrad.recording.recording import Recording
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.phases import phases
from stepgrad.replay.state import State
from stepgrad.replay.telling.narration import narrate
from stepgrad.replay.telling.sentences import say

NOTHING = "Nothing has happened yet."


class Event(NamedTuple):
    """The last event of a position: where it is, its notation, and the same in a sentence."""

    place: str
    phase: str
    symbols: str
    numbers: str
    effect: str
    sentence: str


def event(recording: Recording, position: int) -> Event:
    """Return what has happened last at a position."""
    state = State(recording, position)
    if not position:
        return Event(where(state), "", NOTHING, "", "", NOTHING)
    told = narrate(recording, position - 1)
    symbols, numbers, effect = map(printable, (told.symbols, told.numbers, told.effect))
    sentence = say(recording, position - 1)
    return Event(where(state), state.phase or "", symbols, numbers, effect, sentence)


Stops = Mapping[str, Sequence[int]]
"""For each command that goes to the next of some positions, which these are, ascending."""

_MOVES: Mapping[str, Callable[[Cursor], Cursor]] = {
    "next_node": Cursor.next_node,
    "previous_node": Cursor.previous_node,
    "phase_end": Cursor.phase_end,
    "phase_start": Cursor.phase_start,
}


def stops(recording: Recording, positions: Iterable[int]) -> Stops:
    """Return where the commands lead from some positions, if they leave them."""
    shown = frozenset(positions)
    return {
        name: sorted({move(Cursor(recording, each)).position for each in shown} & shown)
        for name, move in _MOVES.items()
    }


def spans(recording: Recording, begin: int, end: int) -> Sequence[tuple[str, int]]:
    """Return the phases of a step, each with its number of events; marks are left out."""
    return [(run.phase, run.last - run.first) for run in phases(recording, begin, end)]
