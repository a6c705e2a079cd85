"""`stepgrad grade`: marks for what `stepgrad quiz --save` has saved."""

from __future__ import annotations

import sys

import click

from stepgrad.cli.destination import Destination
from stepgrad.cli.output import echo, echo_document, echo_json, echo_lines
from stepgrad.course.grading import Graded, latest
from stepgrad.course.grading import grade as graded
from stepgrad.course.reports import as_csv, as_junit, as_object, lines
from stepgrad.errors import StepgradError
from stepgrad.marking import grade_program


@click.command()
@click.argument("answers", metavar="ANSWERS...", nargs=-1, required=True)
@click.option(
    "--against",
    metavar="FILE",
    help="Mark against the exercises of this scenario, not of the one that the answers name.",
)
@click.option("--csv", "as_table", is_flag=True, help="Print a table: a row for each student.")
@click.option("--json", "json_", is_flag=True, help="Print one JSON object.")
@click.option("--junit", metavar="PATH", help="Save a JUnit report, such as marks.xml.")
def grade(
    answers: tuple[str, ...],
    *,
    against: str | None,
    as_table: bool,
    json_: bool,
    junit: str | None,
) -> None:
    """Mark saved answers, and programs.

    Each ANSWERS is a file from `stepgrad quiz FILE --student NAME --save ANSWERS`. Every answer is
    computed again, with the numbers of that student. An exercise is worth 1; each hint and each
    wrong answer before the right one costs a quarter, and the right answer is worth at least a
    quarter. Of a student with several files for the same exercises, the last counts.

    An ANSWERS that is a Python file is held against the exercises of --against FILE that ask for a
    program. It runs in a process of its own, for 20 seconds at most, and what it prints is lost.
    That is no protection from malice.

    The exit status is 2 if a file cannot be marked, and otherwise 0, whatever the marks.

    \b
      stepgrad grade ann.json bob.json
      stepgrad grade ann.json bob.json --csv
      stepgrad grade ann.py bob.py --against neuron.scenario.yaml
    """
    if as_table and json_:
        raise click.UsageError("use either --csv or --json")
    report = None if junit is None else Destination.of(junit, answers)
    if report is not None and report.path.suffix != ".xml":
        raise StepgradError(f"{junit}: the report is XML; choose a name that ends in .xml")
    found, dropped = latest(_graded(path, against) for path in answers)
    for line in dropped:
        echo(line, err=True)
    for each in found:
        if each.error:
            echo_lines(each.error, err=True)
        if not as_table and not json_:
            for line in lines(each):
                echo(line)
    if as_table:
        echo_document(as_csv(found))
    if json_:
        echo_json(as_object(found))
    if report is not None:
        report.write(as_junit(found))
    sys.exit(2 if any(each.error for each in found) else 0)


def _graded(path: str, against: str | None) -> Graded:
    if not path.endswith(".py"):
        return graded(path, against)
    if against is None:
        return Graded(path, error=f"{path}: a program needs --against FILE, with its exercises")
    return grade_program(path, against)
