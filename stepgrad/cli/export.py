"""`stepgrad export`: write a position as a drawing, a hand-out or data."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import click

from stepgrad.cli.arguments import ARGUMENTS, READ, FileCommand, open_recorded
from stepgrad.cli.destination import Destination, absolute
from stepgrad.cli.output import echo, echo_document
from stepgrad.cli.replay_page import STEPS, written
from stepgrad.cli.selecting import HOW
from stepgrad.errors import ScenarioError, StepgradError
from stepgrad.export import FORMATS, SHEETS
from stepgrad.export import export as exported
from stepgrad.export import worksheet as as_worksheet
from stepgrad.export.figure import where as where_is
from stepgrad.export.position import end, find
from stepgrad.opening import How, Opened, files_typed, is_course
from stepgrad.recording.recording import Recording
from stepgrad.replay.cursor import Cursor
from stepgrad.scenario.load import ScenarioFile
from stepgrad.scenario.recorded import recorded_scenario
from stepgrad.scenario.text import name_of

_SUFFIXES = {
    ".svg": "svg",
    ".dot": "dot",
    ".gv": "dot",
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".json": "json",
}
_DRAWN_ELSEWHERE = (".png", ".pdf", ".jpg", ".jpeg", ".gif", ".webp")


@click.command(cls=FileCommand)
@click.argument("file", metavar="FILE")
@ARGUMENTS
@click.option("--to", "to", type=click.Choice(list(FORMATS)), required=True, help="The format.")
@click.option(
    "--at",
    "where",
    metavar="POSITION",
    help="14, 50%, 'step 20' (the whole step) or a name; by default, the end, or the start of a "
    "replay.",
)
@click.option("--worksheet", is_flag=True, help="Leave blanks for what is computed.")
@click.option("--key", is_flag=True, help="Write the worksheet with its blanks filled in.")
@click.option(
    "--student", metavar="NAME", default="", help="Draw the numbers of this student's worksheet."
)
@click.option(
    "--replay", is_flag=True, help="With --to html: a page that steps through the replay."
)
@STEPS
@click.option(
    "-o", "--output", metavar="PATH", default="-", help="Write to this file; `-` is stdout."
)
@HOW
def export(  # noqa: PLR0913 - one for each option
    file: str,
    arguments: tuple[str, ...],
    *,
    to: str,
    where: str | None,
    replay: bool,
    steps: Sequence[int] | None,
    worksheet: bool,
    key: bool,
    student: str,
    output: str,
    how: How,
) -> None:
    """Write a position of FILE as a drawing, a hand-out or JSON.

    Drawings are svg, dot and mermaid. A hand-out (markdown, html) has the lesson, the numbers, and
    both passes line by line; html also has the drawing. For training, it covers one step; in
    forward mode, every pass up to the position. A large graph is drawn with its scopes folded.
    Options go before the name of a program.

    Without --at, the position is the end; for training, the end of the last step with a backward
    pass. `--at "step 20"` is the end of that step, after its update.

    A --worksheet has the given numbers, the formulas, and the exercises of FILE, with blanks for
    what is computed; --key is the same sheet with the answers. As html, both draw a small graph.
    With --student, the exercises have the numbers that `stepgrad quiz --student` draws.

    --to html --replay writes the replay itself: one file that steps through the events in any
    browser, without a network, from --at or the start. `page.html#21` opens it at event 21; an
    iframe shows it in a site made with Sphinx or MkDocs.

    If FILE is a folder of lessons, each is written to a file of its name in the folder that -o
    names.

    \b
      stepgrad export two_layer --to svg -o two_layer.svg
      stepgrad export two_layer --to dot --at 50% -o two_layer.dot
      stepgrad export xor_tanh --to html --at "step 20" -o step20.html
      stepgrad export two_layer --to html --worksheet -o sheet.html
      stepgrad export --to markdown -o notes.md train.py
      stepgrad export two_layer --to html --replay -o two_layer.html
      stepgrad export xor_tanh --to html --replay --steps 0,10,99 -o xor.html
    """
    asked = _Asked(to, where, worksheet or key, key, student, replay, steps)
    _check_kind(asked)
    if is_course(file):
        sys.exit(_export_course(file, output, asked, how))
    goal = None if output == "-" else Destination.of(output, [file])
    if goal is not None:
        _check_suffix(goal, to)
    opened = open_recorded(file, arguments, how)
    _write(opened, [file, *arguments], goal, asked)
    sys.exit(opened.status)


class _Asked(NamedTuple):
    """What to write of a recording; see the options."""

    to: str
    where: str | None
    sheet: bool
    key: bool
    student: str
    replay: bool
    steps: Sequence[int] | None


def _write(opened: Opened, typed: Sequence[str], goal: Destination | None, asked: _Asked) -> None:
    """Write what was opened by the words `typed`."""
    recording = opened.recording
    scenario = opened.scenario or _scenario(recording)
    if asked.replay:
        text, told = written(opened, scenario, asked.steps, asked.where, typed)
    else:
        at = end(recording) if asked.where is None else find(recording, asked.where)
        cursor = Cursor(recording, at)
        told = where_is(cursor.state)
        if asked.sheet:
            text = as_worksheet(scenario, cursor, asked.to, key=asked.key, student=asked.student)
        else:
            text = exported(scenario, cursor, asked.to)
    if goal is None:
        echo_document(text)
    else:
        content = text.encode()
        goal.write(content)
        echo(f"{told}; {len(content):,} bytes in {goal.name}", err=True)


def _export_course(folder: str, output: str, asked: _Asked, how: How) -> int:
    """Write each lesson of a course to a file in a folder; return the exit status.

    Raises:
        StepgradError: a folder to write to is not named, or cannot be made, or two lessons would
            be written to the same file.
    """
    lessons = files_typed(folder)
    if output == "-":
        lesson = shlex.quote(next(iter(lessons.values())))
        raise StepgradError(
            f"{folder}: is a course; name a folder to write to with -o, or one of its lessons, "
            f"such as {lesson}"
        )
    path = Path(output)
    if absolute(output).is_file():
        raise StepgradError(f"{output}: is a file; name a folder, as {folder} is a course")
    names = _names(lessons, _suffix(asked.to))
    _make_folders(path, names.values())
    goals = {
        file: Destination.of(str(path / names[lesson]), [file]) for lesson, file in lessons.items()
    }
    status = 0
    for file, goal in goals.items():
        opened = open_recorded(file, (), how)
        _write(opened, [file], goal, asked)
        status = status or opened.status
    return status


def _names(lessons: Iterable[str], suffix: str) -> Mapping[str, str]:
    """Return the file of each lesson, which has its name in the course, folders and all.

    Raises:
        StepgradError: two have the same.
    """
    names: dict[str, str] = {}
    for lesson in lessons:
        path = Path(lesson)
        name = f"{path.parent / name_of(path)}{suffix}"
        former = next((each for each, taken in names.items() if taken == name), None)
        if former is not None:
            raise StepgradError(
                f"{name}: both `{former}` and `{lesson}` would be written to it; rename one of them"
            )
        names[lesson] = name
    return names


def _make_folders(folder: Path, names: Iterable[str]) -> None:
    """Make a folder, and those in it that files of these names are in."""
    try:
        folder.mkdir(exist_ok=True)
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StepgradError(f"{error.filename}: {error.strerror or error}") from error


def _scenario(recording: Recording) -> ScenarioFile | None:
    """Return the scenario of a saved recording, for its title and its lesson, if it has one."""
    with suppress(ScenarioError):
        return recorded_scenario(recording)
    return None


def _check_kind(asked: _Asked) -> None:
    """Refuse options that do not go together."""
    if asked.sheet and asked.to not in SHEETS:
        raise click.UsageError(f"a worksheet is {' or '.join(SHEETS)}, not {asked.to}")
    if asked.student and not asked.sheet:
        raise click.UsageError("--student goes with --worksheet or --key")
    if asked.replay and asked.sheet:
        raise click.UsageError("--replay has no --worksheet and no --key")
    if asked.to != "html" and asked.replay:
        raise click.UsageError("--replay goes with --to html")
    if asked.steps is not None and not asked.replay:
        raise click.UsageError("--steps goes with --replay")


def _suffix(to: str) -> str:
    """Return the usual suffix of a format."""
    return next(each for each, format_ in _SUFFIXES.items() if format_ == to)


def _check_suffix(goal: Destination, to: str) -> None:
    """Refuse a file name that belongs to another format."""
    suffix = goal.path.suffix.lower()
    instead = f"--to {to} writes {goal.path.with_suffix(_suffix(to)).name}"
    if suffix in _DRAWN_ELSEWHERE:
        raise StepgradError(
            f"{goal.name}: there is no `{suffix}` export; {instead}, and Graphviz turns "
            f"--to dot into {suffix[1:]}: dot -T{suffix[1:]}"
        )
    meant = (READ | _SUFFIXES).get(suffix, to)
    if meant != to:
        raise StepgradError(f"{goal.name}: this is a name for {meant}; {instead}")
