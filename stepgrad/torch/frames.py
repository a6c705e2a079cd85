"""The frames of the program, among those of PyTorch and of this package (`Frames`)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from sys import _getframe
from types import FrameType, FunctionType

import torch

from stepgrad.recording.naming.kinds import is_standard, variables_of
from stepgrad.recording.naming.sites import Spot
from stepgrad.recording.places import is_ours

_TORCH = f"{Path(torch.__file__).parent}{os.sep}"
_RUNNING = f"{Path(__file__).parents[1] / 'program'}{os.sep}"
"""Where `stepgrad run` runs a program."""


class Frames:
    """Finds the frames of a program, from the innermost to the one that recording began in."""

    def __init__(self) -> None:
        self._of_program: dict[str, bool] = {}  # whether a file is
        self._outermost: FrameType | None = None
        frames = [*self.running()]
        if self._outermost is None and frames:
            self._outermost = frames[0]

    def let_go(self) -> None:
        """Keep no frame alive."""
        self._outermost = None

    def running(self) -> Iterator[FrameType]:
        """Yield the frames of the program, the innermost first; the outermost also at its end."""
        frame: FrameType | None = _getframe(1)
        found: FrameType | None = None
        while frame is not None and not frame.f_code.co_filename.startswith(_RUNNING):
            file = frame.f_code.co_filename
            if file not in self._of_program:
                self._of_program[file] = _is_program(file)
            if self._of_program[file]:
                found = frame
                yield frame
            if frame is self._outermost:
                return
            frame = frame.f_back
        if frame is None:
            return
        if found is not None:
            self._outermost = found
        elif self._outermost is not None:
            yield self._outermost

    @property
    def spot(self) -> Spot:
        """The line that the program is at."""
        for frame in self.running():
            return frame.f_lineno, frame.f_code.co_filename
        return None, None

    def variables(self) -> Iterator[Mapping[str, object]]:
        """Yield the variables of the program: those of its calls, the outermost first.

        Functions come last: what a closure of one holds has a variable of its own.
        """
        frames = [*self.running()][::-1]
        modules = {id(each.f_globals): each.f_globals for each in frames}
        every = [*map(variables_of, frames), *modules.values()]
        for functions in (False, True):
            for variables in every:
                yield {
                    name: each
                    for name, each in variables.items()
                    if isinstance(each, FunctionType) is functions
                }


def _is_program(file: str) -> bool:
    return not (file.startswith((_TORCH, "<frozen ")) or is_ours(file) or is_standard(file))
