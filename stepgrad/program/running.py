"""Running a program while recording it."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from stepgrad.engine.tape import active_tape
from stepgrad.engine.world import World
from stepgrad.program.awaiting import Awaiting
from stepgrad.program.ending import exit_status, failure_of, reopen_streams
from stepgrad.program.imported import Watching, tensors_watched, usual
from stepgrad.program.kinds import program_of
from stepgrad.program.main_module import as_main
from stepgrad.program.meanwhile import meanwhile
from stepgrad.program.parts import Program, ProgramError
from stepgrad.program.reserve import execute
from stepgrad.program.signals import interruptible
from stepgrad.program.unrecorded import Unrecorded, witnessing
from stepgrad.recording.record import active_recorder, record
from stepgrad.recording.recording import Recording


class Run(NamedTuple):
    """What was recorded of a program until it ended, and its exit status.

    `failure` says what ended it, where that was an error or Ctrl+C.
    """

    recording: Recording
    status: int
    failure: str = ""


def run_program(  # noqa: PLR0913 - all that there is to a program
    name: str,
    arguments: Sequence[str] = (),
    memory: int | None = None,
    *,
    saves: bool = False,
    then: str = "",
    world: World | None = None,
    tensors: Watching = usual,
) -> Run:
    """Run a program as `__main__`, and record it with the lines that made its nodes.

    Its name is a path, of a notebook too, that of a folder with a `__main__.py`, or `-m module`.

    `memory` is the most bytes that the recording may take, as in `record()`, and `world` the one
    that the program runs in. `tensors` is what goes on while it uses PyTorch.

    If it ends with an error, Python's own traceback is printed, and what was recorded is kept. If
    the caller `saves` it, SIGTERM and SIGHUP end the program in the same way. On a terminal, a line
    says how far it is, and `then`, what Ctrl+C does; without that, there is none.

    Raises:
        ProgramError: it cannot be read, or there is no such module.
        SystemExit: this is a process that the program forked; it ends where the program ends.
    """
    program = program_of(name)
    recording, process = Recording(), os.getpid()
    recording.world = world
    begun = monotonic()
    with witnessing() as unrecorded:
        status, failure = _recorded(
            recording,
            program,
            arguments,
            unrecorded,
            tensors,
            memory=memory,
            saves=saves,
            then=then,
        )
        if os.getpid() != process:
            raise SystemExit(status)
        note = unrecorded.note(recorded=recording.size > 0)
    recording.unsaved = monotonic() - begun
    if failure:  # perhaps there was no memory left: now there is, even what functions refer to
        gc.collect()
    reopen_streams()
    if note:
        print(note, file=sys.stderr)
    return Run(recording, status, failure)


def _recorded(  # noqa: PLR0913 - all that there is to a program
    recording: Recording,
    program: Program,
    arguments: Sequence[str],
    unrecorded: Unrecorded,
    tensors: Watching,
    *,
    memory: int | None,
    saves: bool,
    then: str,
) -> tuple[int, str]:
    """Run a program; return its exit status and what ended it, and keep nothing of it alive."""
    from stepgrad.foreign import watching  # noqa: PLC0415 - a room that only a program needs

    sources = recording.sources
    try:
        with (
            as_main(program, arguments) as main,
            interruptible(saves),
            record(recording, lines=True, memory=memory),
            meanwhile(active_recorder(), Path(program.name).name, then),
            watching(active_recorder(), unrecorded.unwatched),
            tensors_watched(tensors),
            closing(program.parts(main)) as parts,
            closing(Awaiting()) as awaiting,
        ):
            unrecorded.tape = active_tape()
            for at, (code, source) in enumerate(parts):
                imported = {} if at else {**sources}  # the packages that a module is in
                for path in imported:
                    del sources[path]
                sources |= {source.path: source, **imported}
                execute(code, main, awaiting)
    except ProgramError:
        raise
    except BaseException as error:  # whatever it is, it is the program's
        return exit_status(error), failure_of(error)
    return 0, ""
