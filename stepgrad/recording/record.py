"""`record()`: recording what a program does, and the warning that the budget is spent."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from stepgrad.engine.tape import active_tape, recording_on
from stepgrad.recording.log import Log
from stepgrad.recording.memory import as_bytes
from stepgrad.recording.recorder import Recorder
from stepgrad.recording.recording import Recording


@contextmanager
def record(
    recording: Recording | None = None, *, lines: bool = False, memory: int | str | None = None
) -> Iterator[Recording]:
    """Record what Values do inside, and return a recording of it: a new one, or an empty one.

    This thread or task is recorded, with the tasks that it starts and the threads that get a copy
    of its context (`asyncio.to_thread` gives them one). Other threads are not; what they make is
    recorded when a recorded thread uses it. So are Values from before, with everything they were
    made from.

    Threads that are recorded together appear in the order in which they took turns. A Value that
    one thread reads while another writes to it may be logged either way. Without `lines`, scopes
    that several threads or tasks enter at the same time are mixed up.

    Inside another recording, only this one records; the other one then logs what has become of the
    Values that it knows. Recording ends with this block, also for tasks, threads and generators
    that go on. An error passes through; what happened before it is recorded.

    With `lines`, each node knows the file and the line that made it, and so does each write by
    hand; in IPython, that is a cell and its line. The recording keeps the texts of those files.
    Making Values then takes twice as long.

    `memory` is how many bytes the recording may take (`"500MB"`); without it, a quarter of the
    memory that is free. When it is spent, recording stops at the end of a pass, a line on stderr
    says so, and what comes after is not recorded. A pass that alone would take as much again stops
    before its end.

    Raises:
        TypeError: `recording` is not a Recording.
        ValueError: something has been recorded into `recording` before; `memory` is not a size.
    """
    if recording is not None and not isinstance(recording, Recording):
        raise TypeError(
            f"record() takes an empty Recording or nothing, not {recording!r}; "
            "recording.save(path) writes a file"
        )
    recording = Recording() if recording is None else recording
    budget = None if memory is None else as_bytes(memory)
    with recorded_by(recorder_of(recording, lines=lines, memory=budget, spent=_say_spent)):
        yield recording


def recorder_of(log: Log, **settings: Any) -> Recorder:
    """Return a recorder for an empty log, with the settings of `Recorder`; it heeds its world."""
    if log.world is None:
        return Recorder(log, **settings)
    from stepgrad.recording.changed import ChangedRecorder  # noqa: PLC0415 - rarely needed

    return ChangedRecorder(log, **settings)


@contextmanager
def recorded_by(recorder: Recorder) -> Iterator[Recorder]:
    """Record what Values do inside, with a recorder that is closed at the end."""
    with recording_on(recorder):
        try:
            yield recorder
        finally:
            recorder.close()


def _say_spent(log: Log) -> None:
    warning = f"stepgrad: {log.incomplete}; what the program does from here on is not recorded"
    if sys.stderr is not None:
        with suppress(OSError, ValueError):  # it may be closed: that is not the program's error
            print(warning, file=sys.stderr)


def active_recorder() -> Recorder | None:
    """Return the recorder of this context; None where nothing is being recorded."""
    tape = active_tape()
    return tape if isinstance(tape, Recorder) and not tape.closed else None
