"""`stepgrad record`: run a file, and save what it did."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from stepgrad import headless
from stepgrad.cli.arguments import (
    ARGUMENTS,
    MEMORY,
    FileCommand,
    check_output,
    say_nothing_happened,
)
from stepgrad.cli.output import echo
from stepgrad.errors import StepgradError
from stepgrad.opening import SAVED, is_saved, open_typed
from stepgrad.scenario.text import name_of


@click.command(cls=FileCommand)
@click.argument("file", metavar="FILE")
@ARGUMENTS
@click.option(
    "-o", "--output", metavar="PATH", type=click.Path(path_type=Path), help="Save to this file."
)
@MEMORY
def record(file: str, arguments: tuple[str, ...], output: Path | None, memory: int | None) -> None:
    """Run FILE and save the recording.

    Other commands, such as `run` and `replay`, can open it. Without -o, the recording of `train.py`
    is `train.stepgrad` in the current folder. If a program fails or a signal ends it, the recording
    ends there; the exit status is the program's.

    \b
      stepgrad record xor_tanh
      stepgrad record -o slow.stepgrad train.py --rate 0.01
    """
    shown = output or Path(f"{name_of(Path(file))}{SAVED}")
    path = shown.absolute()  # a program may change the working directory
    check_output(path, [file])
    if not is_saved(shown.name):
        raise StepgradError(f"{shown}: name it {shown.stem or 'my'}{SAVED}, or it will not open")
    opened = open_typed(file, arguments, memory, saves=True)
    if not opened.recording.length:
        say_nothing_happened(file, opened.status)
        sys.exit(opened.status or 2)
    opened.recording.save(path)
    size = path.stat().st_size
    echo(f"{headless.summary(opened.recording)}; {size:,} bytes in {shown}", err=True)
    sys.exit(opened.status)
