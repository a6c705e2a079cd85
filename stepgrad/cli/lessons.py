"""`stepgrad list`: the lessons that ship."""

from __future__ import annotations

import sys

import click

from stepgrad.cli.output import echo, echo_lines
from stepgrad.course.progress import Progress
from stepgrad.course.state import ProgressError, read_progress
from stepgrad.scenario import ProgramFile, gallery


@click.command(name="list")
def list_() -> None:
    """List the lessons that ship with stepgrad.

    In a terminal, ✓ marks those that you have done, ◐ those that you have seen, and the best score
    of a quiz follows the title. Progress is kept in the folder that STEPGRAD_STATE names, if it
    does; with STEPGRAD_STATE=off it is not kept.

    \b
      stepgrad list
    """
    print_list()


def print_list() -> None:
    """Print names and titles, level by level; for a person, what was done of them as well."""
    files, progress = gallery(), _progress()
    width = max(map(len, files), default=0)
    level: str | None = ""
    for name, file in files.items():
        if file.model.level != level:
            level = file.model.level
            echo(f"{level or 'other'}:")
        fails = isinstance(file, ProgramFile) and file.fails
        mark = progress.mark(name)
        score = f" · {mark.score}" if mark.score else ""
        check = " (check fails)" if fails else ""
        echo(f"{mark.symbol} {name:<{width}}  {file.title}{check}{score}")
    if current := progress.current(list(files)):
        echo(f"continue: stepgrad run {current}")


def _progress() -> Progress:
    """Return a person's progress; none for a program that reads the list."""
    if sys.stdout is None or not sys.stdout.isatty():
        return Progress()
    try:
        return read_progress()
    except ProgressError as error:
        echo_lines(error, err=True)
        return Progress()
