"""`stepgrad serve`: the debugger in browsers on this machine, through textual-serve."""

from __future__ import annotations

import shlex
import subprocess
import sys
from importlib.util import find_spec
from socket import create_server

import click

from stepgrad.errors import StepgradError
from stepgrad.opening import course_typed, is_course, is_program, is_saved
from stepgrad.recording.recording import Recording
from stepgrad.scenario import open_scenario

HOST = "127.0.0.1"
"""This machine, and no other: whoever reaches the port can use the debugger."""


@click.command()
@click.argument("file", metavar="[FILE]", required=False)
@click.option(
    "--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="The port."
)
def serve(file: str | None, port: int) -> None:
    """Serve the debugger to browsers on this machine, for a projector or a lab without terminals.

    FILE is a folder of lessons, a lesson or a recording; without FILE, each visitor chooses one of
    the lessons that ship. Nothing but this machine can reach it. Needs `pip install
    'stepgrad[web]'`.

    \b
      stepgrad serve
      stepgrad serve two_layer --port 8080
    """
    if find_spec("textual_serve") is None:
        raise StepgradError("stepgrad serve needs textual-serve: pip install 'stepgrad[web]'")
    if file is not None:
        _check(file)
    from stepgrad.cli.server import LocalServer  # noqa: PLC0415 - for this command only

    _check_port(port)
    LocalServer(_command(file), HOST, port).serve()


def _check_port(port: int) -> None:
    """Raise an error if a port is taken."""
    try:
        create_server((HOST, port)).close()
    except OSError as error:
        problem = error.strerror or str(error)
        raise StepgradError(f"port {port}: {problem}; try another --port") from None


def _check(file: str) -> None:
    """Raise an error if a file cannot be opened: now, not in the browser."""
    if is_course(file):
        course_typed(file)
    elif is_program(file):
        raise StepgradError(
            f"{file}: a program cannot run in a browser; record it, and serve the recording: "
            f"stepgrad record -o run.stepgrad {shlex.quote(file)}"
        )
    elif is_saved(file):
        Recording.load(file)
    else:
        open_scenario(file)


def _command(file: str | None) -> str:
    """Return the command that opens the debugger for a visitor, for the shell of this system."""
    words = [sys.executable, "-m", "stepgrad", "run", *([] if file is None else [file])]
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)
