"""`stepgrad replay`: the debugger's commands, without a screen."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from contextlib import redirect_stdout
from functools import partial

import click

from stepgrad import headless
from stepgrad.cli.arguments import ARGUMENTS, PLAIN, FileCommand, at_position
from stepgrad.cli.narrating import described, narration
from stepgrad.cli.output import echo, echo_json
from stepgrad.cli.selecting import BUG, HOW
from stepgrad.opening import How, Opened, open_typed, session_at
from stepgrad.plain.words import read_message
from stepgrad.replay.commands.hints import with_keys
from stepgrad.replay.commands.places import goto
from stepgrad.replay.commands.script import replay as replay_keys
from stepgrad.replay.commands.table import KEYS, Command
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.session import Session


@click.command(cls=FileCommand)
@click.argument("file", metavar="FILE")
@ARGUMENTS
@click.option("--keys", metavar="KEYS", help="Usual keys to press, separated by spaces: 's s n t'.")
@at_position("Go to")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@PLAIN
@BUG
@HOW
def replay(  # noqa: PLR0913 - one for each option
    file: str,
    arguments: tuple[str, ...],
    *,
    keys: str | None,
    where: str | None,
    as_json: bool,
    plain: bool,
    how: How,
) -> None:
    """Replay FILE without a screen.

    By itself, it prints every event. With --at or --keys, it prints the position that these lead
    to; with --json alone, the end. Options go before the name of a program, whose own output goes
    to stderr.

    \b
      stepgrad replay two_layer
      stepgrad replay two_layer --keys "f n n"
      stepgrad replay xor_tanh --at "step 20" --json
      stepgrad replay sum_over_paths --bug overwrite --keys "G D"
      stepgrad replay --at 50% train.py --steps 20
    """
    if as_json and plain:
        raise click.UsageError("use either --json or --plain")
    with redirect_stdout(sys.stderr):
        opened = open_typed(file, arguments, how)
    if where is None and keys is None and not as_json:
        lines = narration(opened.recording, plain, opened.scenario)
    else:
        cursor, said = _arrived(opened, keys, where, plain=plain)
        if as_json:
            echo_json(headless.snapshot(opened.scenario, cursor))
            sys.exit(opened.status)
        lines = _described(opened, cursor, said, plain=plain)
    for line in lines:
        echo(line)
    sys.exit(opened.status)


def _arrived(
    opened: Opened, keys: str | None, where: str | None, *, plain: bool
) -> tuple[Cursor, Sequence[str]]:
    """Return where a position and keys lead, and what the last key and the reports say."""
    cursor = Cursor(opened.recording)
    if where is None and keys is None:
        cursor = cursor.seek(cursor.recording.length)
    if where is not None:
        cursor = goto(cursor, where)
    if keys is None:
        return cursor, ()
    reports: list[str] = []
    start = session_at(opened, cursor.position)
    report = partial(_told if plain else _report, reports)
    session = replay_keys(start, headless.words(keys), report)
    said = read_message(session.said) if plain else with_keys(session.said, KEYS)
    return session.cursor, [said, *reports]


def _described(
    opened: Opened, cursor: Cursor, said: Sequence[str], *, plain: bool
) -> Iterable[str]:
    """Return the lines that describe a position, and those of what was said."""
    apart = () if plain else ("",)
    spaced = (line for text in said if text for line in (*apart, *text.split("\n")))
    return [*described(opened, cursor, plain), *spaced]


def _report(reports: list[str], command: Command, session: Session) -> None:
    """Add what a command reports, as plain text."""
    from stepgrad.tui.render.reports import REPORTS  # noqa: PLC0415 - Textual takes a while

    lines = REPORTS[command.name](session, KEYS, 0).plain.splitlines()
    reports.append("\n".join(line.rstrip() for line in lines))


def _told(reports: list[str], command: Command, session: Session) -> None:
    """Add what a command reports, in sentences."""
    from stepgrad.plain.reports import REPORTS  # noqa: PLC0415 - rarely asked for

    reports.append("\n".join(REPORTS[command.name](session)))
