"""Running a program while recording it."""

from __future__ import annotations

import gc
import os
from collections.abc import Sequence
from importlib.util import decode_source
from types import CodeType
from typing import NamedTuple

from stepgrad.engine.world import World
from stepgrad.errors import StepgradError
from stepgrad.program.ending import exit_status, failure_of, reopen_streams
from stepgrad.program.main_module import as_main
from stepgrad.program.reserve import execute
from stepgrad.program.signals import interruptible
from stepgrad.reading import read_regular, why
from stepgrad.recording.record import record
from stepgrad.recording.recording import Recording, Source


class ProgramError(StepgradError):
    """A program that cannot be run, or does not do what it was asked to."""


class Run(NamedTuple):
    """What was recorded of a program until it ended, and its exit status.

    `failure` says what ended it, where that was an error or Ctrl+C.
    """

    recording: Recording
    status: int
    failure: str = ""


def run_program(
    path: str,
    arguments: Sequence[str] = (),
    memory: int | None = None,
    *,
    saves: bool = False,
    world: World | None = None,
) -> Run:
    """Run the program at `path` as `__main__`, and record it with the lines that made its nodes.

    `memory` is the most bytes that the recording may take, as in `record()`, and `world` the one
    that the program runs in.

    If it ends with an error, Python's own traceback is printed, and what was recorded is kept. If
    the caller `saves` it, SIGTERM and SIGHUP end the program in the same way.

    Raises:
        ProgramError: the file cannot be read.
        SystemExit: this is a process that the program forked; it ends where the program ends.
    """
    try:
        content = read_regular(path)
    except (OSError, ValueError) as error:
        raise ProgramError(f"{path}: cannot be read: {why(error)}") from None
    recording, process = Recording(), os.getpid()
    recording.world = world
    status, failure = _recorded(
        recording, path, content, arguments=arguments, memory=memory, saves=saves
    )
    if os.getpid() != process:
        raise SystemExit(status)
    if failure:  # perhaps there was no memory left: now there is, even what functions refer to
        gc.collect()
    reopen_streams()
    return Run(recording, status, failure)


def _recorded(  # noqa: PLR0913 - all that there is to a program
    recording: Recording,
    path: str,
    content: bytes,
    *,
    arguments: Sequence[str],
    memory: int | None,
    saves: bool,
) -> tuple[int, str]:
    """Run a program; return its exit status and what ended it, and keep nothing of it alive."""
    file = os.path.abspath(path)  # noqa: PTH100 - what Python does: links are not resolved
    code: CodeType | None = None
    try:
        with as_main(path, file, arguments) as main, interruptible(file, saves):
            code = compile(content, file, "exec", dont_inherit=True)
            recording.sources[file] = Source(file, decode_source(content))
            with record(recording, lines=True, memory=memory):
                execute(code, main)
    except BaseException as error:  # whatever it is, it is the program's
        return exit_status(error, code), failure_of(error)
    return 0, ""
