"""What every kind of program has: parts to run (`Program`)."""

from __future__ import annotations

from collections.abc import Generator
from types import CodeType, ModuleType
from typing import Protocol

from stepgrad.errors import StepgradError
from stepgrad.recording.source import Source

Parts = Generator[tuple[CodeType, Source], None, None]
"""What is to run, one after the other, with the text of each."""


class ProgramError(StepgradError):
    """A program that cannot be run, or does not do what it was asked to."""


class Program(Protocol):
    """What can run as `__main__`."""

    @property
    def name(self) -> str:
        """What `sys.argv[0]` is."""

    @property
    def folder(self) -> str:
        """Where its imports are looked for first."""

    def parts(self, main: ModuleType) -> Parts:
        """Prepare the module, and yield what is to run in it, with the text of that.

        Raises:
            ProgramError: there is nothing to run.
        """
