"""`stepgrad record`: run something, and save what it did."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from stepgrad import headless
from stepgrad.cli.arguments import ARGUMENTS, FileCommand, check_output, say_nothing_happened
from stepgrad.cli.output import echo
from stepgrad.opening import SAVED, open_typed


@click.command(cls=FileCommand)
@click.argument("file", metavar="FILE")
@ARGUMENTS
@click.option(
    "-o", "--output", metavar="PATH", type=click.Path(path_type=Path), help="Where to save it."
)
def record(file: str, arguments: tuple[str, ...], output: Path | None) -> None:
    """Run FILE and save what was recorded, for `run` and `replay` to open.

    Without -o, the recording of `train.py` is `train.stepgrad`, in this folder. A program that
    fails, or ends by a signal, is saved until there; the exit status is the program's.

    \b
      stepgrad record xor_tanh
      stepgrad record -o slow.stepgrad train.py --rate 0.01
    """
    shown = output or Path(f"{Path(file).stem}{SAVED}")
    path = shown.absolute()  # a program may go to another folder
    check_output(path, file)
    opened = open_typed(file, arguments, saves=True)
    if not opened.recording.length:
        say_nothing_happened(file, opened.status)
        sys.exit(opened.status or 2)
    opened.recording.save(path)
    size = path.stat().st_size
    echo(f"{headless.summary(opened.recording)}; {size:,} bytes in {shown}", err=True)
    sys.exit(opened.status)
