"""The frames of the program, among those of PyTorch and of this package (`Frames`)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from sys import _getframe
from types import FrameType

import torch

from stepgrad.recording.naming.kinds import is_standard, variables_of
from stepgrad.recording.naming.sites import Spot
from stepgrad.recording.places import is_ours

_TORCH = f"{Path(torch.__file__).parent}{os.sep}"
_RUNNING = f"{Path(__file__).parents[1] / 'program'}{os.sep}"


class Frames:
    """Finds the frames of a program, from the innermost to the one that recording began in."""

    def __init__(self) -> None:
        self._theirs: dict[str, bool] = {}
        self._first: FrameType | None = None
        frames = [*self.running()]
        under_us = [each for each in frames if _runs(each.f_back)]
        self._first = next(iter(under_us or frames), None)

    def let_go(self) -> None:
        """Keep no frame alive."""
        self._first = None

    def running(self) -> Iterator[FrameType]:
        """Yield the frames of the program, the innermost first."""
        frame: FrameType | None = _getframe(1)
        theirs = self._theirs
        while frame is not None:
            file = frame.f_code.co_filename
            if file not in theirs:
                theirs[file] = _is_program(file)
            if theirs[file]:
                yield frame
            if frame is self._first:
                return
            frame = frame.f_back

    @property
    def spot(self) -> Spot:
        """The line that the program is at."""
        for frame in self.running():
            return frame.f_lineno, frame.f_code.co_filename
        return None, None

    def variables(self) -> list[Mapping[str, object]]:
        """Return the variables of the program: those of its calls, the outermost first."""
        frames = [*self.running()]
        found = {id(each.f_globals): each.f_globals for each in reversed(frames)}
        return [*map(variables_of, reversed(frames)), *found.values()]


def _is_program(file: str) -> bool:
    return not (file.startswith((_TORCH, "<frozen ")) or is_ours(file) or is_standard(file))


def _runs(frame: FrameType | None) -> bool:
    """Whether a frame is what `stepgrad run` runs a program with."""
    return frame is not None and frame.f_code.co_filename.startswith(_RUNNING)
