"""A program recorded in a process of its own (`recorded_apart`), which can be ended if it hangs.

The process is this module: FILE FOLDER. It leaves the recording in the folder, and what ended the
program.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from stepgrad.errors import StepgradError
from stepgrad.program.running import Run, run_program
from stepgrad.progress import advance
from stepgrad.recording.recording import Recording

_RECORDING, _FAILURE = "lesson.stepgrad", "failure"
_LOOK = 0.02
"""Seconds from one look at the process to the next."""


def recorded_apart(path: Path) -> Run:
    """Record a program in a process of its own; what it prints is lost.

    Progress is reported again and again, and whoever cancels there ends the process.

    Raises:
        StepgradError: the program cannot be read, or it ends before there is a recording.
        Cancelled: nobody waits for it.
    """
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", "stepgrad.program.apart", str(path), folder],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            while _runs(process):
                advance(0, 1)
        finally:
            _end(process)
        told = Path(folder) / _FAILURE
        failure = told.read_text("utf-8") if told.exists() else ""
        saved = Path(folder) / _RECORDING
        if not saved.exists():
            raise StepgradError(failure or f"{path.name}: it ends before there is a recording")
        return Run(Recording.load(saved), process.returncode, failure)


def _runs(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(_LOOK)
    except subprocess.TimeoutExpired:
        return True
    return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and whatever it has started."""
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()


def _main(path: str, folder: str) -> int:
    try:
        run = run_program(path)
        run.recording.save(Path(folder) / _RECORDING)
    except StepgradError as error:
        run = Run(Recording(), 2, str(error))
    if run.failure:
        (Path(folder) / _FAILURE).write_text(run.failure, "utf-8")
    return run.status


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
