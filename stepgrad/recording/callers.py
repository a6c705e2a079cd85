"""Which line of which file makes a node: asked of Python's frames, and remembered by instruction.

A frame tells at once how far it is in its code. Which line that is takes longer to find out, and
is the same each time.
"""

from __future__ import annotations

import linecache
import os
from bisect import bisect_right
from collections.abc import Callable
from pathlib import Path
from sys import _getframe
from types import CodeType, FrameType

from stepgrad.engine.tape import Place
from stepgrad.engine.value import Value
from stepgrad.recording.recording import Source

OURS = (f"{Path(__file__).parents[1]}{os.sep}", "<stepgrad ")
"""How the names of our own files begin, and of the code that we generate."""

_NOWHERE = Place()


class Callers:
    """Finds the places at which a program makes nodes, and reads the files that they are in.

    Args:
        move: is told a place before the first node that is made there.
        sources: where the texts of the files go, by path.
    """

    def __init__(self, move: Callable[[Place], None], sources: dict[str, Source]) -> None:
        self._move = move
        self._sources = sources
        self._instructions: dict[int, _Instructions] = {}  # by the id of their code
        self._interned: dict[Place, Place] = {}
        self._scope = ""
        self._latest: Place | None = None

    def enter(self, scope: str) -> None:
        """Take note that nodes belong to another scope from here on."""
        self._scope = scope
        self._latest = None

    def noting(self, append: Callable[[Value], None]) -> Callable[[Value], None]:
        """Return an `append` for a tape that finds out first who makes the node."""
        instructions_of = self._instructions.get

        def note(value: Value) -> None:
            # The caller is the engine; whoever called that is mostly the program.
            frame: FrameType | None = _getframe(2)
            place = None
            while place is None and frame is not None:
                instructions = instructions_of(id(frame.f_code))
                if instructions is None:
                    instructions = self._meet(frame)
                place = instructions[frame.f_lasti]
                if place is None:
                    frame = frame.f_back
            place = place or _NOWHERE
            if place is not self._latest:
                self._latest = place
                self._move(place._replace(scope=self._scope) if self._scope else place)
            append(value)

        return note

    def _meet(self, frame: FrameType) -> _Instructions:
        """Take in a frame's code, and the text of its file while it is what is being run."""
        path = frame.f_code.co_filename
        if path not in self._sources and not path.startswith(OURS):
            lines = linecache.getlines(path, frame.f_globals)
            if lines:
                self._sources[path] = Source(path, "".join(lines))
        instructions = _Instructions(frame.f_code, self._interned)
        self._instructions[id(frame.f_code)] = instructions
        return instructions


class _Instructions(dict[int, Place | None]):
    """The place of each instruction of a piece of code, by its offset in bytes; None in ours."""

    def __init__(self, code: CodeType, interned: dict[Place, Place]) -> None:
        super().__init__()
        self._code = code  # kept alive: its id stands for it
        self._interned = interned
        self._ours = code.co_filename.startswith(OURS)
        lines = () if self._ours else tuple(code.co_lines())
        self._starts = [start for start, _, _ in lines]
        self._lines = [line for _, _, line in lines]

    def __missing__(self, offset: int) -> Place | None:
        place = None
        if not self._ours:
            line = self._lines[bisect_right(self._starts, offset) - 1]
            place = Place("", line, self._code.co_filename)
            place = self._interned.setdefault(place, place)
        self[offset] = place
        return place
