"""`stepgrad torch-zoom`: where one element's gradient comes from, in a large PyTorch model."""

from __future__ import annotations

import sys

import click

from stepgrad.cli.arguments import ARGUMENTS, FileCommand
from stepgrad.cli.destination import Destination
from stepgrad.cli.narrating import narration
from stepgrad.cli.output import echo
from stepgrad.debugger import has_screen, open_debugger
from stepgrad.errors import StepgradError
from stepgrad.headless import summary
from stepgrad.opening import is_program, program_path
from stepgrad.program.zoomed import zoomed

_WHOLE = click.IntRange(min=1)
_STEP = click.IntRange(min=0)
_WHOLE.name = _STEP.name = "whole number"  # as errors call it


@click.command("torch-zoom", cls=FileCommand)
@click.argument("file", metavar="PROGRAM")
@ARGUMENTS
@click.option(
    "--element", required=True, metavar="NAME", help="The element: 'layers.0.weight[3,7]'."
)
@click.option(
    "--depth", metavar="N", type=_WHOLE, default=3, help="Follow it through N operations; 3."
)
@click.option(
    "--top", metavar="N", type=_WHOLE, default=5, help="Follow the N largest parts of each; 5."
)
@click.option(
    "--step", metavar="N", type=_STEP, default=0, help="Look at backward pass N; the first is 0."
)
@click.option("-o", "--output", metavar="PATH", help="Save the recording to this file instead.")
def zoom(  # noqa: PLR0913 - one for each option
    file: str,
    arguments: tuple[str, ...],
    *,
    element: str,
    depth: int,
    top: int,
    step: int,
    output: str | None,
) -> None:
    """Open the debugger on one element of a PyTorch model that is too large for `run`.

    PROGRAM runs up to its first backward pass, or to that of --step, and ends there. Then the
    element is followed: which numbers it reaches, with which local derivative, and what comes back
    from each. The largest parts are followed further, and the others are summed up, so the gradient
    is whole. Options go before the name of the program.

    \b
      stepgrad torch-zoom --element 'layers.0.weight[3,7]' train.py
      stepgrad torch-zoom --element 'head.bias[0]' --depth 5 --top 3 train.py --rate 0.01
    """
    if not is_program(file):
        raise StepgradError(f"{file}: is no program; torch-zoom is for PyTorch programs")
    goal = None if output is None else Destination.of(output, [file])
    screen = goal is None and has_screen()  # checked first: a program may change the streams
    recording = zoomed(program_path(file), arguments, element, depth=depth, top=top, step=step)
    if not recording.length:
        raise StepgradError(f"{file}: it has ended before backward pass {step}")
    if goal is not None:
        goal.save(recording)
        echo(f"{summary(recording)} in {output}", err=True)
    elif screen:
        sys.exit(open_debugger(recording))
    else:
        for line in narration(recording, plain=False, scenario=None):
            echo(line)
