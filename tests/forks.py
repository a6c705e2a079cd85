"""Runs of `stepgrad` in forks of a process that has imported it: importing is most of a short run.

A fork has streams, signals and limits of its own, and ends as any process does. How Python starts,
and what a command imports, are for `processes.run`. This file is also the process that forks.
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
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

from processes import PATIENCE, environment, python, run, stepgrad

IMPORTED = ("checking.ways", "cli.check", "cli.record", "cli.replay", "cli.run", "program")
"""What commands that run a program import."""

STREAMS = ("stdin", "stdout", "stderr")


def run_forked(
    *arguments: str | Path, stdin: str = "", cwd: Path
) -> subprocess.CompletedProcess[str]:
    """Run a command of ours in a folder, to its end, and return what it said."""
    if not hasattr(os, "fork"):
        return run(stepgrad(*arguments), stdin, cwd=cwd)
    words = [*map(str, arguments)]
    with TemporaryDirectory() as name:
        streams = [Path(name, stream) for stream in STREAMS]
        streams[0].write_text(stdin, encoding="utf-8")
        status = _answered([words, str(cwd), *map(str, streams)])
        out, err = (stream.read_text(encoding="utf-8") for stream in streams[1:])
    return subprocess.CompletedProcess(words, status, out, err)


def _answered(wanted: list[object]) -> int:
    """Have a command run in a fork, and return its exit status."""
    forking = _forking()
    assert forking.stdin is not None
    assert forking.stdout is not None
    print(json.dumps(wanted), file=forking.stdin, flush=True)
    if not select.select([forking.stdout], [], [], PATIENCE)[0]:
        os.killpg(forking.pid, signal.SIGKILL)
        raise subprocess.TimeoutExpired(str(wanted), PATIENCE)
    return int(forking.stdout.readline())


@cache
def _forking() -> subprocess.Popen[str]:
    """Start the process that forks; it ends when the tests do."""
    process = subprocess.Popen(
        python(__file__),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(),
        encoding="utf-8",
        start_new_session=True,
    )
    atexit.register(process.communicate)
    return process


def _fork() -> None:
    """Fork for each line of JSON on stdin, and answer with its status; return in forks only."""
    for name in IMPORTED:
        import_module(f"stepgrad.{name}")
    # The streams that forks have are not read from, or written to, before.
    with os.fdopen(os.dup(0)) as wanted, os.fdopen(os.dup(1), "w") as answered:
        for line in wanted:
            child = os.fork()
            if not child:
                words, folder, *streams = json.loads(line)
                break
            _, status = os.waitpid(child, 0)
            print(os.waitstatus_to_exitcode(status), file=answered, flush=True)
        else:
            sys.exit()
    os.chdir(folder)
    sys.path[0] = folder
    sys.argv[1:] = words
    for descriptor, path in enumerate(streams):
        how = os.O_WRONLY | os.O_CREAT if descriptor else os.O_RDONLY
        os.dup2(os.open(path, how), descriptor)


if __name__ == "__main__":
    _fork()
    runpy.run_module("stepgrad", run_name="__main__", alter_sys=True)
