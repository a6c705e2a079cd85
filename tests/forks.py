"""Runs of `stepgrad` in forks of a process that has imported it: importing is most of a short run.

A fork has a session, streams, signals and limits of its own, and ends as any process does. How
Python starts, and what a command imports, are for `processes.run`. This file is also the process
that forks.
"""

from __future__ import annotations

import atexit
import json
import os
import runpy
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

from processes import PATIENCE, environment, python, run, stepgrad

IMPORTED = ("checking.ways", "cli.check", "cli.record", "cli.replay", "cli.run", "program")
"""What commands that run a program import."""

SCREEN = ("cli.run", "debugger", "program", "tui.screen.debugger")
"""What a debugger on a screen imports besides."""

STREAMS = ("stdin", "stdout", "stderr")


class Fork:
    """A command of ours that runs in a fork; it is asked as a `Popen` is."""

    def __init__(self, forking: subprocess.Popen[bytes], wanted: list[object]) -> None:
        assert forking.stdin
        assert forking.stdout
        self._answers = forking.stdout
        self._status: int | None = None
        forking.stdin.write(json.dumps(wanted).encode() + b"\n")
        self.pid = int(self._answers.readline())

    def poll(self, patience: float = 0) -> int | None:
        """Return the exit status if it ends within `patience` seconds."""
        if self._status is None and select.select([self._answers], [], [], patience)[0]:
            self._status = int(self._answers.readline())
        return self._status

    def wait(self, patience: float = PATIENCE) -> int:
        """Return the exit status; raise `TimeoutExpired` if it does not end."""
        status = self.poll(patience)
        if status is None:
            raise subprocess.TimeoutExpired(str(self.pid), patience)
        return status

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once, so that another can run."""
        self.send_signal(signal.SIGKILL)
        self.wait()


def forked(
    *arguments: str | Path,
    cwd: Path,
    streams: Sequence[str | Path],
    imported: tuple[str, ...] = IMPORTED,
) -> Fork:
    """Start a command of ours in a folder; its streams are files, or a terminal.

    Of those with the same `imported`, one runs at a time.
    """
    return Fork(_forking(imported), [[*map(str, arguments)], str(cwd), *map(str, streams)])


def run_forked(
    *arguments: str | Path, stdin: str = "", cwd: Path
) -> subprocess.CompletedProcess[str]:
    """Run a command of ours in a folder, to its end, and return what it said."""
    if not hasattr(os, "fork"):
        return run(stepgrad(*arguments), stdin, cwd=cwd)
    with TemporaryDirectory() as name:
        streams = [Path(name, stream) for stream in STREAMS]
        streams[0].write_text(stdin, encoding="utf-8")
        fork = forked(*arguments, cwd=cwd, streams=streams)
        try:
            status = fork.wait()
        finally:
            fork.kill()
        out, err = (stream.read_text(encoding="utf-8") for stream in streams[1:])
    return subprocess.CompletedProcess([*map(str, arguments)], status, out, err)


@cache
def _forking(imported: tuple[str, ...]) -> subprocess.Popen[bytes]:
    """Start a process that imports and forks; it ends when the tests do."""
    process = subprocess.Popen(
        python(__file__, *imported),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(TERM="xterm-256color"),
        bufsize=0,  # an answer that is read is not also waited for
    )
    atexit.register(process.communicate)
    return process


def _fork() -> None:
    """Fork for each line of JSON on stdin, and answer with its number and its status.

    It returns in forks only.
    """
    for name in sys.argv[1:]:
        import_module(f"stepgrad.{name}")
    # The streams that forks have are not read from, or written to, before.
    with os.fdopen(os.dup(0)) as wanted, os.fdopen(os.dup(1), "w") as answered:
        for line in wanted:
            child = os.fork()
            if not child:
                words, folder, *streams = json.loads(line)
                break
            print(child, file=answered, flush=True)
            _, status = os.waitpid(child, 0)
            print(os.waitstatus_to_exitcode(status), file=answered, flush=True)
        else:
            sys.exit()
    os.setsid()  # so that a terminal that it opens controls it
    os.chdir(folder)
    sys.path[0] = folder
    sys.argv[1:] = words
    for descriptor, path in enumerate(streams):
        how = os.O_WRONLY | os.O_CREAT if descriptor else os.O_RDONLY
        os.dup2(os.open(path, how), descriptor)
    if os.isatty(1):
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]


if __name__ == "__main__":
    _fork()
    runpy.run_module("stepgrad", run_name="__main__", alter_sys=True)
