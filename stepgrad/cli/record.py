"""`stepgrad record`: run a file, and save what it did."""

from __future__ import annotations

import sys

import click

from stepgrad import headless
from stepgrad.cli.arguments import (
    ARGUMENTS,
    READ,
    FileCommand,
    say_nothing_happened,
)
from stepgrad.cli.destination import Destination
from stepgrad.cli.output import echo, echo_lines
from stepgrad.cli.progress import progress_bar
from stepgrad.cli.selecting import BUG, HOW
from stepgrad.errors import StepgradError
from stepgrad.opening import How, open_typed, saved_as
from stepgrad.program.signals import finishing
from stepgrad.recording.recording import SAVED


@click.command(cls=FileCommand)
@click.argument("file", metavar="FILE")
@ARGUMENTS
@click.option("-o", "--output", metavar="PATH", help="Save to this file.")
@BUG
@HOW
def record(
    file: str,
    arguments: tuple[str, ...],
    *,
    output: str | None,
    how: How,
) -> None:
    """Run FILE and save the recording.

    Other commands, such as `run` and `replay`, can open it. Without -o, the recording of `train.py`
    is `train.stepgrad` in the current folder. If a program fails or a signal ends it, the recording
    ends there; the exit status is the program's. While it is written, a second Ctrl+C gives it up.

    \b
      stepgrad record xor_tanh
      stepgrad record -o slow.stepgrad train.py --rate 0.01
    """
    name = saved_as(file) if output is None else output
    goal = Destination.of(name, [file])
    suffix = goal.path.suffix
    if suffix != SAVED and suffix in READ:
        raise StepgradError(f"{name}: this is a name for {READ[suffix]}; end it in {SAVED}")
    opened = open_typed(file, arguments, how, saves=True, then="Ctrl+C saves what there is")
    if not opened.recording.length:
        say_nothing_happened(file, opened)
        sys.exit(opened.status or 2)
    with finishing(lambda: _say_again(name)), progress_bar(f"{name}: writing"):
        goal.save(opened.recording)
    size = goal.path.stat().st_size
    echo(f"{headless.summary(opened.recording)}; {size:,} bytes in {name}", err=True)
    sys.exit(opened.status)


def _say_again(name: str) -> None:
    """Say why Ctrl+C does not end the command, and what does."""
    below = "\n" * (sys.stderr is not None and sys.stderr.isatty())  # of a bar
    echo_lines(f"{below}{name}: is being written; Ctrl+C again gives it up", err=True)
