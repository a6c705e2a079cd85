"""`stepgrad run`: open the debugger."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING

import click

from stepgrad.cli.arguments import ARGUMENTS, FileCommand, at_position, say_nothing_happened
from stepgrad.cli.output import echo
from stepgrad.cli.selecting import BUG, HOW
from stepgrad.course.folder import course_of, home_of
from stepgrad.course.lessons import Course, ours
from stepgrad.debugger import check_theme, has_screen, open_debugger
from stepgrad.errors import StepgradError
from stepgrad.loading import loading
from stepgrad.opening import (
    SELECTING,
    USUAL,
    How,
    Opened,
    course_typed,
    is_course,
    is_scenario,
    open_typed,
    original,
)
from stepgrad.replay.commands.places import goto
from stepgrad.replay.cursor import Cursor
from stepgrad.scenario import open_scenario

if TYPE_CHECKING:
    from stepgrad.cli.prompt import Typed


@click.command(cls=FileCommand)
@click.argument("file", metavar="[FILE]", required=False)
@ARGUMENTS
@click.option(
    "--theme",
    metavar="NAME",
    default="",
    help="Colours: textual-light, high-contrast, ...",
)
@at_position("Open at")
@click.option(
    "--plain",
    is_flag=True,
    help="Type keys at a prompt and get sentences, for screen readers; also from stdin, a line "
    "each. With nothing to type, every event is described.",
)
@BUG
@HOW
def run(  # noqa: PLR0913 - one for each option
    file: str | None,
    arguments: tuple[str, ...],
    *,
    theme: str,
    where: str | None,
    plain: bool,
    how: How,
) -> None:
    """Open the debugger on FILE; without FILE, or for a folder of lessons, choose one.

    A program runs as it does under python, and the debugger opens when it ends. Options go before
    its name; what follows is passed to it. The exit status is the program's, or 1 if the screen
    crashes.

    Without a terminal, the events of a scenario are printed, and those of a program or a recording
    are only counted; with --at, the position that it names is printed.

    With --plain, there is no screen but a prompt, which takes the usual keys and answers in
    sentences; `?` helps. Keys may come from stdin as well, one line for each; what a program reads
    from stdin comes before them. If there is no line, --plain prints a sentence for every event.

    With --bug, FILE runs in a world with one classic bug: what `=` for `+=` does to this network.
    In a scenario, `D` shows what the bug changed; so does `stepgrad diff`.

    \b
      stepgrad run
      stepgrad run two_layer
      stepgrad run two_layer --at w1
      stepgrad run my_network.yaml --theme textual-light
      stepgrad run my_course
      stepgrad run two_layer --plain
      stepgrad run two_layer --bug shut=h
      stepgrad run train.py --steps 20
      stepgrad run -m package.train
    """
    if theme:
        check_theme(theme)
        if plain:
            raise click.UsageError("--theme is for the screen, and --plain has none")
    screen = has_screen() and not plain  # checked first: a program may change the streams
    typed = _typed() if plain else None
    if file is None or is_course(file):
        course = ours() if file is None else course_typed(file)
        if where is not None or how != USUAL:
            raise StepgradError(f"--at, --bug, --memory, {SELECTING} are for one lesson: name it")
        if screen:
            sys.exit(open_debugger(None, theme=theme, course=course))
        _choose(course, typed)
        return
    if screen and is_scenario(file) and where is None and how.world is None:
        sys.exit(_open_growing(file, theme, how.memory))
    with typed.debugging() if typed is not None else nullcontext():
        then = "" if plain else "Ctrl+C shows what there is"  # which is not for the ear
        opened = open_typed(file, arguments, how, then=then)
    position = _begin(opened, where)
    if not opened.recording.length and opened.scenario is None:
        say_nothing_happened(file, opened)
    elif typed is not None and typed.some:
        _talk(opened, position, typed)
    elif screen:
        sys.exit(_show(opened, position, theme) or opened.status)
    else:
        _print(opened, plain, None if where is None else position)
    sys.exit(opened.status)


def _typed() -> Typed:
    """Return what is typed, on a keyboard or on stdin."""
    from stepgrad.cli.prompt import Typed  # noqa: PLC0415 - for --plain only

    return Typed()


def _talk(opened: Opened, position: int, typed: Typed) -> None:
    """Answer what is typed, at a prompt; from a lesson of the course, one can go on to the next."""
    from stepgrad.cli.course import Guide  # noqa: PLC0415 - for --plain only
    from stepgrad.cli.prompt import converse  # noqa: PLC0415

    place = home_of(opened.recording, opened.scenario)
    if place is None:
        converse(opened, position, typed)
    else:
        Guide(typed, partial(course_of, place), place.kept).talk(place.lesson, opened, position)


def _choose(course: Course, typed: Typed | None) -> None:
    """List the lessons; if something is typed, open those that it names."""
    if typed is None or not typed.some:
        from stepgrad.cli.lessons import print_list  # noqa: PLC0415 - where no FILE is named

        print_list(course)
        return
    from stepgrad.cli.course import Guide  # noqa: PLC0415 - for --plain only

    Guide(typed, lambda: course, course.kept).choose()


def _show(opened: Opened, position: int, theme: str) -> int:
    """Open the debugger on what was recorded; return the exit status of the screen."""
    recording = opened.recording
    world = recording.world
    return open_debugger(
        recording,
        opened.scenario,
        original=original(opened),
        theme=theme,
        position=position,
        said=opened.failure or (f"{world}: {world.meaning}" if world else ""),
    )


def _begin(opened: Opened, where: str | None) -> int:
    """Return the position to open at: the one asked for, or where the program failed."""
    if where is not None:
        return goto(Cursor(opened.recording), where).position
    return opened.recording.length if opened.status else 0


def _print(opened: Opened, plain: bool, position: int | None) -> None:
    """Print the position that was asked for; else all events, of a program only how many."""
    from stepgrad.cli.narrating import described, narration  # noqa: PLC0415 - without a screen
    from stepgrad.headless import summary  # noqa: PLC0415

    lines: Iterable[str] = ()
    if position is not None:
        lines = described(opened, Cursor(opened.recording).seek(position), plain)
    elif plain or opened.scenario is not None:
        lines = narration(opened.recording, plain, opened.scenario)
    else:
        echo(f"{summary(opened.recording)}; --plain prints them", err=True)
    for line in lines:
        echo(line)


def _open_growing(file: str, theme: str, memory: int | None) -> int:
    """Open the debugger on a scenario as soon as there is something to see.

    Returns the exit status.
    """
    with loading():
        scenario = open_scenario(file)
        import stepgrad.tui.app  # noqa: F401, PLC0415 - for the screen only
        from stepgrad.tui.work import Growing  # noqa: PLC0415

        # No program of the user's runs here: there is no garbage of theirs to keep.
        gc.freeze()
    growing = Growing(scenario, memory)
    # Errors in the file are reported here, before there is a screen.
    return open_debugger(growing.result(), scenario, growing, theme=theme)
