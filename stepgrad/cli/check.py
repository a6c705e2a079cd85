"""`stepgrad check`: hold scenarios, programs and recordings against all that can be known."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import nullcontext, redirect_stdout
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import click

from stepgrad.atomic import write_atomically
from stepgrad.checking.reports import as_junit, as_object
from stepgrad.checking.text import verdict_details, verdict_line
from stepgrad.checking.verdict import Verdict, judge
from stepgrad.checking.ways import has_torch
from stepgrad.cli.arguments import MEMORY, NOTHING_HAPPENED, FilesCommand, check_output
from stepgrad.cli.progress import progress_bar
from stepgrad.errors import NotEnoughMemoryError, StepgradError
from stepgrad.opening import is_program, open_typed


@click.command(cls=FilesCommand)
@click.argument("files", metavar="FILE... [ARGUMENTS]...", nargs=-1, required=True)
@click.option("-v", "--verbose", is_flag=True, help="Show the table of every file.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@MEMORY
@click.option(
    "--junit",
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="Save a report for CI: report.xml.",
)
def check(  # noqa: PLR0913 - one for each option
    files: tuple[str, ...],
    arguments: tuple[str, ...],
    *,
    verbose: bool,
    as_json: bool,
    junit: Path | None,
    memory: int | None,
) -> None:
    """Hold files against what they expect, and their gradients against other ways to them.

    A FILE is a scenario, a recording, or a program, which stands last: what follows it are its
    ARGUMENTS. Gradients are compared with reverse mode from the numbers that the forward pass saw,
    with forward mode and with complex steps (to a relative 1e-10), with central differences, and
    where it is installed, with PyTorch (1e-12). The table of these is shown for a single file,
    where they differ, and with -v for every file.

    The exit status is 2 if a file cannot be read, that of a program that fails, and else 1 if
    anything differs or is not finite.

    \b
      stepgrad check two_layer
      stepgrad check scenarios/*.yaml --junit report.xml
      stepgrad check --json train.py --steps 2
    """
    if junit is not None:
        junit = junit.absolute()  # a program may go to another folder
        _check_report(junit, files)
    width, verdicts = max(map(len, files)), []
    for file in files:
        verdict = _checked(file, arguments, memory)
        verdicts.append(verdict)
        if verdict.error:
            click.echo(verdict.error, err=True)
        if not as_json:
            click.echo(verdict_line(verdict, width))
            for line in verdict_details(verdict, verbose=verbose or len(files) == 1):
                click.echo(f"  {line}")
    if as_json:
        click.echo(json.dumps(as_object(verdicts), indent=2, ensure_ascii=False))
    elif verbose and not has_torch():
        click.echo("PyTorch is not installed; with the extra [torch] it is compared with, too")
    if junit is not None:
        write_atomically(junit, as_junit(verdicts))
    sys.exit(_exit_status(verdicts))


def _checked(file: str, arguments: Sequence[str], memory: int | None) -> Verdict:
    """Open and check a file; what a program prints goes to stderr."""
    start = perf_counter()
    # A program's own output stands where a bar would.
    waiting = nullcontext() if is_program(file) else progress_bar(f"{file}: running")
    try:
        with redirect_stdout(sys.stderr), waiting:
            opened = open_typed(file, arguments if is_program(file) else (), memory)
        if not opened.recording.length and opened.scenario is None:
            if opened.status:  # it has said why
                return Verdict(file, status=opened.status)
            raise StepgradError(f"{file}: {NOTHING_HAPPENED}")
        with progress_bar(f"{file}: checking"):
            verdict = judge(file, opened.recording, opened.scenario, opened.status)
    except StepgradError as error:
        verdict = Verdict(file, error=str(error))
    except MemoryError:
        verdict = Verdict(file, error=f"{file}: {NotEnoughMemoryError()}")
    return replace(verdict, seconds=perf_counter() - start)


def _check_report(path: Path, files: Sequence[str]) -> None:
    """Raise what would be wrong with a report at `path` on `files`, before anything is run."""
    if path.suffix != ".xml":
        raise StepgradError(f"{path}: a report is XML; name a file that ends with .xml")
    check_output(path, files)


def _exit_status(verdicts: Sequence[Verdict]) -> int:
    if any(verdict.error for verdict in verdicts):
        return 2
    # A program is the last, and its own status says more than that it failed.
    return verdicts[-1].status or int(any(verdict.failed for verdict in verdicts))
