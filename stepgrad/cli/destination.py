"""Where a command writes: checked before anything runs, and called as a person has typed it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from stepgrad.atomic import permissions, write_atomically
from stepgrad.errors import RecordingError, StepgradError
from stepgrad.recording.recording import Recording
from stepgrad.scenario.library import shipped


@dataclass(frozen=True, slots=True)
class Destination:
    """A file to write: its name as it was typed, and its absolute path.

    A program may change the working directory before the file is written.
    """

    name: str
    path: Path

    @classmethod
    def of(cls, name: str, files: Iterable[str]) -> Destination:
        """Return the destination that a person means by a name.

        Raises:
            StepgradError: it cannot be written, or is one of the input `files`.
        """
        if not name:
            raise StepgradError("the name of the output is empty; write the name of a file")
        path = absolute(name)
        _check_writable(name, path)
        for file in files:
            read = Path(file) if Path(file).exists() else shipped().get(file)
            # Compare files, not names: links and `..` give a file many names.
            if path.exists() and read is not None and path.samefile(read):
                raise StepgradError(
                    f"{name}: this is the input file; choose another name for the output"
                )
        return cls(name, path)

    def write(self, content: bytes) -> None:
        """Make `content` the content of the file, whole or not at all.

        Raises:
            StepgradError: it cannot be written.
        """
        try:
            write_atomically(self.path, content)
        except OSError as error:
            raise StepgradError(f"{self.name}: {error.strerror or error}") from error

    def save(self, recording: Recording) -> None:
        """Save a recording to the file, whole or not at all.

        Raises:
            RecordingError: it cannot be written.
        """
        try:
            recording.save(self.path)
        except RecordingError as error:
            raise RecordingError(self.name, error.problem) from error


def absolute(name: str) -> Path:
    """Return an absolute path.

    Raises:
        StepgradError: it is relative to a folder that was deleted.
    """
    try:
        return Path(name).absolute()
    except FileNotFoundError:
        raise StepgradError(f"{name}: the current folder no longer exists") from None


def _check_writable(name: str, path: Path) -> None:
    """Raise an error if a file cannot be written: now, not after an hour of training."""
    if not path.parent.is_dir():
        raise StepgradError(f"{name}: the folder {path.parent} does not exist")
    if not os.access(path.parent, os.W_OK):
        raise StepgradError(f"{name}: its folder is not writable")
    if path.exists():
        try:
            permissions(path)
        except OSError as error:
            raise StepgradError(f"{name}: {error.strerror}") from None
