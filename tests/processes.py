"""Processes that tests start: with signals and limits of their own, whatever started the tests.

A shell that starts tests in the background has them ignore Ctrl+C, and their children inherit that.
A program under test may be endless: it gets so much time and memory, and no more. This file is also
the program that sees to it: it becomes the one that a test wants.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120

PATIENCE = 120
"""Seconds that a process may take, by the clock and of the processor."""

MEMORY = 3 << 30
"""Bytes that a process may take."""

_TERMINAL, _CLOSE, _LIMIT = "--terminal", "--close=", "--limit="


def limited(
    *command: str | Path,
    terminal: bool = False,
    closed: Sequence[int] = (),
    limits: Mapping[str, int] | None = None,
) -> list[str]:
    """Return a command that runs another with signals and limits of its own.

    With `terminal`, its stdin becomes the terminal that controls it; it starts a session then. It
    begins without the descriptors that are `closed`. More `limits` have the names of `resource`,
    such as FSIZE.
    """
    options = [_TERMINAL] * terminal + [f"{_CLOSE}{descriptor}" for descriptor in closed]
    options += [f"{_LIMIT}{name}={most}" for name, most in (limits or {}).items()]
    return [sys.executable, "-IS", __file__, *options, *map(str, command)]


def python(*arguments: str | Path, **limits: Any) -> list[str]:
    """Return a command that runs Python so."""
    return limited(sys.executable, *arguments, **limits)


def stepgrad(*arguments: str | Path, **limits: Any) -> list[str]:
    """Return a command that runs ours so."""
    return python("-m", "stepgrad", *arguments, **limits)


def environment(**more: str) -> Mapping[str, str]:
    """Return the environment of a process that finds our code."""
    return os.environ | {"PYTHONPATH": ROOT, "PYTHONUNBUFFERED": ""} | more


@contextmanager
def started(command: list[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """Start a limited command with pipes; it is killed if it runs for longer than the block."""
    import subprocess  # noqa: PLC0415 - slow to import, and not needed to become another program

    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    given = pipes | {"stdin": subprocess.DEVNULL, "env": environment(), "encoding": "utf-8"}
    with subprocess.Popen(command, **(given | options)) as process:
        try:
            yield process
        finally:
            process.kill()


def run(command: list[str], stdin: str = "", **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a limited command to its end, and return what it said."""
    import subprocess  # noqa: PLC0415

    given: dict[str, Any] = {"env": environment(), "timeout": PATIENCE, "encoding": "utf-8"}
    return subprocess.run(
        command, input=stdin, capture_output=True, check=False, **(given | options)
    )


def run_pytest(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """Run pytest in the folder of a `pytester`, in a process of its own."""
    folder = pytester.path / "temporary"
    command = python("-m", "pytest", f"--basetemp={folder}", *arguments)
    return pytester.run(*command, timeout=PATIENCE)


def _become(command: list[str], options: list[str]) -> None:
    """Set signals as a terminal has them, and limits, and become a command."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGPIPE", "SIGQUIT"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        pass
    else:
        given = (each.removeprefix(_LIMIT).split("=") for each in options if _LIMIT in each)
        limits = {"DATA": MEMORY, "CPU": PATIENCE} | {name: int(most) for name, most in given}
        for name, most in limits.items():
            what = getattr(resource, f"RLIMIT_{name}")
            hard = resource.getrlimit(what)[1]
            limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(what, (limit, hard))
    if _TERMINAL in options:
        import fcntl  # noqa: PLC0415 - not on Windows
        import termios  # noqa: PLC0415

        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    for each in options:
        if _CLOSE in each:
            os.close(int(each.removeprefix(_CLOSE)))
    os.execvp(command[0], command)


if __name__ == "__main__":
    begin = 1
    while sys.argv[begin].startswith("--"):
        begin += 1
    _become(sys.argv[begin:], sys.argv[1:begin])
