"""Processes that tests start: with signals and limits of their own, whatever started the tests.

A shell that starts tests in the background has them ignore Ctrl+C, and their children inherit that.
A program under test may be endless: it gets so much time and memory, and no more. This file is also
the program that sees to it: it becomes the one that a test wants.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).parents[1]

PATIENCE = 120
"""Seconds that a process may take, by the clock and of the processor."""

MEMORY = 3 << 30
"""Bytes that a process may take."""

_TERMINAL = "--terminal"


def limited(*command: str | Path, terminal: bool = False) -> list[str]:
    """Return a command that runs another with signals and limits of its own.

    With `terminal`, its stdin becomes the terminal that controls it; it starts a session then.
    """
    options = [_TERMINAL] if terminal else []
    return [sys.executable, "-I", __file__, *options, *map(str, command)]


def python(*arguments: str | Path, terminal: bool = False) -> list[str]:
    """Return a command that runs Python so."""
    return limited(sys.executable, *arguments, terminal=terminal)


def environment(**more: str) -> Mapping[str, str]:
    """Return the environment of a process that finds our code."""
    return os.environ | {"PYTHONPATH": str(ROOT)} | more


def run(command: list[str], stdin: str = "", **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a limited command to its end, and return what it said."""
    given: dict[str, Any] = {"env": environment(), "timeout": PATIENCE, "encoding": "utf-8"}
    return subprocess.run(
        command, input=stdin, capture_output=True, check=False, **(given | options)
    )


def run_pytest(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """Run pytest in the folder of a `pytester`, in a process of its own."""
    folder = pytester.path / "temporary"
    command = python("-m", "pytest", f"--basetemp={folder}", *arguments)
    return pytester.run(*command, timeout=PATIENCE)


def _become(command: list[str], *, terminal: bool) -> None:
    """Set signals as a terminal has them, and limits, and become a command."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGPIPE", "SIGQUIT"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        pass
    else:
        for what, most in ((resource.RLIMIT_DATA, MEMORY), (resource.RLIMIT_CPU, PATIENCE)):
            hard = resource.getrlimit(what)[1]
            limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(what, (limit, hard))
    if terminal:
        import fcntl  # noqa: PLC0415 - not on Windows
        import termios  # noqa: PLC0415

        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.execvp(command[0], command)


if __name__ == "__main__":
    _, *words = sys.argv
    _become([word for word in words[:1] if word != _TERMINAL] + words[1:],
            terminal=words[:1] == [_TERMINAL])  # fmt: skip
