"""`stepgrad list`: the lessons that ship, or those of a folder."""

from __future__ import annotations

import shlex
import sys

import click

from stepgrad.cli.output import echo, echo_lines
from stepgrad.course.folder import read_valid
from stepgrad.course.lessons import Course, ours
from stepgrad.course.progress import Progress
from stepgrad.course.state import ProgressError, read_progress
from stepgrad.errors import StepgradError
from stepgrad.opening import course_folder
from stepgrad.scenario import ProgramFile


@click.command(name="list")
@click.argument("folder", metavar="[DIR]", required=False)
def list_(folder: str | None) -> None:
    """List the lessons that ship with stepgrad, or those of the folder DIR.

    In a terminal, ✓ marks those that you have done, ◐ those that you have seen, and the best score
    of a quiz follows the title. Progress is kept in the folder that STEPGRAD_STATE names, if it
    does; with STEPGRAD_STATE=off it is not kept.

    The exit status is 2 if some lessons of DIR are not valid; the others are listed.

    \b
      stepgrad list
      stepgrad list my_course
    """
    course, problems = (ours(), ()) if folder is None else read_valid(course_folder(folder))
    print_list(course)
    if problems:
        raise StepgradError(*problems)


def print_list(course: Course) -> None:
    """Print names and titles below their headings; for a person, what was done of them as well."""
    progress, width = _progress(course.kept), max(map(len, course.names), default=0)
    for heading, names in course.grouped(course.names):
        echo(f"{heading}:")
        for name in names:
            file, mark = course.lessons[name], progress.mark(name)
            score = f" · {mark.score}" if mark.score else ""
            check = " (check fails)" if isinstance(file, ProgramFile) and file.fails else ""
            echo(f"{mark.symbol} {name:<{width}}  {file.title}{check}{score}")
    if current := progress.current(course.names):
        echo(f"continue: stepgrad run {shlex.quote(course.typed(current))}")


def _progress(course: str) -> Progress:
    """Return a person's progress; none for a program that reads the list."""
    if sys.stdout is None or not sys.stdout.isatty():
        return Progress()
    try:
        return read_progress(course)
    except ProgressError as error:
        echo_lines(error, err=True)
        return Progress()
