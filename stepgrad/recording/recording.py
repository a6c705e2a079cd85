"""`Recording`: the log of a program, with its file."""

from __future__ import annotations

from importlib import import_module
from os import PathLike

from stepgrad.printable import counted
from stepgrad.recording.blocks import Backward
from stepgrad.recording.log import Log, Node
from stepgrad.recording.source import Source

__all__ = ["SAVED", "Node", "Recording", "Source"]

SAVED = ".stepgrad"
"""The suffix of the file of a recording."""

_PAGES = "stepgrad.export.replay_page"
"""What shows a recording in a notebook; a log knows no more of it than its name."""


class Recording(Log):
    """What a program did, event by event.

    `stepgrad.record()` makes one. It may be read while it is still growing: `events` then includes
    what has happened up to now, and other threads see it as of the last complete block. `history`
    answers what a value or a gradient was at any position; `replay.State` does so by name.
    `sources` are the texts of the files that made nodes, by path; the first is the program itself.
    `unsaved` is how many seconds a program took that is recorded here and in no file.
    """

    unsaved = 0.0

    def __repr__(self) -> str:
        self.settle()
        passes = sum(isinstance(block, Backward) for block in self.blocks)
        events, backward = counted(self.length, "event"), counted(passes, "backward pass")
        return f"<Recording: {events}, {backward}>"

    def _repr_html_(self) -> str | None:
        """Show the replay in a notebook; None if there is nothing to show, or too much."""
        frame: str | None = import_module(_PAGES).frame(self)
        return frame

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Recording:
        """Read a recording from a file (`.stepgrad`).

        Raises:
            RecordingError: it cannot be read; the message says why, and what to do.
        """
        from stepgrad.recording import store  # noqa: PLC0415 - few recordings come from files

        recording = cls()
        store.load(path, recording)
        return recording

    def save(self, path: str | PathLike[str]) -> None:
        """Write what is recorded up to now to a file, which appears whole or not at all.

        Raises:
            RecordingError: it cannot be written; what the file was before, it still is.
        """
        from stepgrad.recording import store  # noqa: PLC0415

        store.save(self, path)
        self.unsaved = 0.0
