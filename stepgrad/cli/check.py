"""`stepgrad check`: check the expectations and the gradients of scenarios and programs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter

import click

from stepgrad.checking.reports import as_junit, as_object
from stepgrad.checking.result import Result, judge
from stepgrad.checking.text import result_details, result_line
from stepgrad.checking.ways import has_torch
from stepgrad.cli.arguments import FilesCommand
from stepgrad.cli.destination import Destination
from stepgrad.cli.examining import examine, exit_status, expanded, shows_mistake
from stepgrad.cli.output import echo, echo_json, echo_lines
from stepgrad.cli.selecting import HOW
from stepgrad.errors import StepgradError
from stepgrad.opening import How, Opened, refuse_idle
from stepgrad.scenario.lesson import check_lesson


@click.command(cls=FilesCommand)
@click.argument("files", metavar="FILE... [ARGUMENTS]...", nargs=-1, required=True)
@click.option("-v", "--verbose", is_flag=True, help="Show the table for every file.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--strict", is_flag=True, help="Fail if `stepgrad diagnose` finds anything.")
@HOW
@click.option(
    "--junit",
    metavar="PATH",
    help="Save a JUnit report for CI, such as report.xml.",
)
def check(  # noqa: PLR0913 - one for each option
    files: tuple[str, ...],
    arguments: tuple[str, ...],
    *,
    verbose: bool,
    as_json: bool,
    strict: bool,
    junit: str | None,
    how: How,
) -> None:
    """Check the expected numbers and the gradients of files.

    A FILE is a scenario, a recording, a program, or a folder of lessons. ARGUMENTS are those of the
    last file, a program; write `--` first if they begin with the name of a file. Gradients are
    compared with reverse mode run again on the values that the forward pass saw, with forward mode
    and with complex steps (to a relative 1e-10), with central differences, and with PyTorch (to
    1e-12) if it is installed; what the rules of a program's own engine add, with the true local
    derivatives (to 1e-6); gradients that a program writes by hand, with reverse mode (to 1e-5). The
    table of these is shown for a single file, for a file where they differ, and with -v for every
    file.

    What `stepgrad diagnose` finds is shown as well. It fails the check with --strict, where the
    file promises other verdicts, or where a rule of the program's own engine is wrong.

    The exit status is 2 if a file cannot be checked, the program's own if it fails, and otherwise
    1 if anything differs or is not finite. A program in a folder of lessons that is meant to fail
    is left out; name it to see how it fails.

    \b
      stepgrad check two_layer
      stepgrad check scenarios/*.yaml --junit report.xml
      stepgrad check --json train.py --steps 2
    """
    if as_json and verbose:
        raise click.UsageError("use either --json, which has every table, or --verbose")
    names = expanded(files)
    refuse_idle(names, how)
    report = None if junit is None else _report(junit, names)
    width, results = max(map(len, names)), []
    for file in names:
        if file not in files and shows_mistake(file):  # of a course, which may be right as a whole
            if not as_json:
                echo(f"{file:<{width}}  shows a mistake, and is meant to fail: not checked")
            continue
        behind = arguments if file == files[-1] else ()
        result = _checked(file, behind, how, strict=strict)
        results.append(result)
        if result.error:
            echo_lines(result.error, err=True)
        if not as_json:
            echo(result_line(result, width))
            for line in result_details(result, verbose=verbose or len(names) == 1):
                echo(f"  {line}")
    if as_json:
        echo_json(as_object(results))
    elif verbose and not has_torch():
        echo("PyTorch is not installed; install stepgrad[torch] to compare with it, too")
    if report is not None:
        report.write(as_junit(results))
    sys.exit(exit_status(results))


def _checked(file: str, arguments: Sequence[str], how: How, *, strict: bool) -> Result:
    """Open and check a file."""
    start = perf_counter()

    def look(opened: Opened) -> Result:
        check_lesson(opened.recording, opened.scenario)
        result = judge(file, opened.recording, opened.scenario, opened.status, strict=strict)
        return replace(result, failure=opened.failure)

    result = examine(file, arguments, how, doing="checking", look=look, bare=Result)
    return replace(result, seconds=perf_counter() - start)


def _report(name: str, files: Sequence[str]) -> Destination:
    """Return where to save a report on `files`; raise an error if that is not possible."""
    report = Destination.of(name, files)
    if report.path.suffix != ".xml":
        raise StepgradError(f"{name}: the report is XML; choose a name that ends in .xml")
    return report
