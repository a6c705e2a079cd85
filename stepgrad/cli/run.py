"""`stepgrad run`: open the debugger."""

from __future__ import annotations

import sys

import click

from stepgrad import headless
from stepgrad.cli.arguments import (
    ARGUMENTS,
    PLAIN,
    FileCommand,
    narration,
    say_nothing_happened,
)
from stepgrad.cli.lessons import print_list
from stepgrad.debugger import check_theme, has_screen, loading, open_debugger
from stepgrad.opening import is_scenario, open_typed
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.places import goto
from stepgrad.scenario import open_scenario


@click.command(cls=FileCommand)
@click.argument("file", metavar="[FILE]", required=False)
@ARGUMENTS
@click.option("--theme", metavar="NAME", default="", help="Colours: textual-light, nord, ...")
@click.option("--to", "where", metavar="POSITION", help="Open at 14, 50%, 'step 20' or a name.")
@PLAIN
def run(
    file: str | None, arguments: tuple[str, ...], *, theme: str, where: str | None, plain: bool
) -> None:
    """Open the debugger on FILE; without one, choose a lesson.

    A program runs as it does under python, and the debugger opens when it has ended. What stands
    behind its name is for the program. The exit status is the program's.

    Where there is no terminal, the events of a scenario are narrated, and those of a program or a
    recording are counted; --plain narrates them. Options stand before the name of a program.

    \b
      stepgrad run
      stepgrad run two_layer
      stepgrad run two_layer --to w1
      stepgrad run my_network.yaml --theme textual-light
      stepgrad run two_layer --plain
      stepgrad run train.py --steps 20
    """
    if theme:
        check_theme(theme)
    screen = has_screen() and not plain  # asked first: a program may change the streams
    if file is None:
        open_debugger(None, theme=theme) if screen else print_list()
        return
    if screen and is_scenario(file) and where is None:
        _open_growing(file, theme)
        return
    opened = open_typed(file, arguments)
    recording = opened.recording
    # Who looks at a program that failed wants to see where.
    position = recording.length if opened.status else 0
    if where is not None:
        position = goto(Cursor(recording), where).position
    if not recording.length and opened.scenario is None:
        say_nothing_happened(file, opened.status)
    elif screen:
        open_debugger(recording, opened.scenario, theme=theme, position=position)
    elif plain or opened.scenario is not None:
        for line in narration(recording, plain, opened.scenario):
            click.echo(line)
    else:
        click.echo(f"{headless.summary(recording)}; --plain tells each", err=True)
    sys.exit(opened.status)


def _open_growing(file: str, theme: str) -> None:
    """Open the debugger on a scenario as soon as there is something of it to see."""
    with loading():
        from stepgrad.tui.work import Growing  # noqa: PLC0415 - for the screen only

        scenario = open_scenario(file)
    growing = Growing(scenario)
    # What is wrong with the file is said now, before there is a screen.
    open_debugger(growing.result(), scenario, growing, theme=theme)
