"""`stepgrad list`: the lessons that ship."""

from __future__ import annotations

import click

from stepgrad.cli.output import echo
from stepgrad.scenario import ProgramFile, gallery


@click.command(name="list")
def list_() -> None:
    """List the lessons that ship with stepgrad.

    \b
      stepgrad list
    """
    print_list()


def print_list() -> None:
    """Print names and titles, level by level."""
    files = gallery()
    width = max(map(len, files), default=0)
    level: str | None = ""
    for name, file in files.items():
        if file.model.level != level:
            level = file.model.level
            echo(f"{level or 'other'}:")
        fails = isinstance(file, ProgramFile) and file.fails
        echo(f"  {name:<{width}}  {file.title}{' (check fails)' if fails else ''}")
