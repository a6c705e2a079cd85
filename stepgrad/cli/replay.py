"""`stepgrad replay`: the debugger's commands, without a screen."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from contextlib import redirect_stdout
from functools import partial

import click

from stepgrad import headless
from stepgrad.cli.arguments import ARGUMENTS, PLAIN, FileCommand, narration
from stepgrad.opening import Opened, open_typed
from stepgrad.replay.commands import KEYS, Command
from stepgrad.replay.commands import replay as replay_keys
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.hints import with_keys
from stepgrad.replay.places import goto
from stepgrad.replay.say import say
from stepgrad.replay.session import Session
from stepgrad.scenario.build import record_file


@click.command(cls=FileCommand)
@click.argument("file", metavar="FILE")
@ARGUMENTS
@click.option("--keys", metavar="KEYS", help="Keys to press, with spaces between: 's s n t'.")
@click.option("--to", "where", metavar="POSITION", help="Go to 14, 50%, 'step 20' or a name.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@PLAIN
def replay(  # noqa: PLR0913 - one for each option
    file: str,
    arguments: tuple[str, ...],
    *,
    keys: str | None,
    where: str | None,
    as_json: bool,
    plain: bool,
) -> None:
    """Replay FILE without a screen.

    Alone it narrates every event. With --keys, --to or --json it prints where that ends. Options
    stand before the name of a program; what the program prints goes to stderr.

    \b
      stepgrad replay two_layer
      stepgrad replay two_layer --keys "f n n"
      stepgrad replay xor_tanh --to "step 20" --json
      stepgrad replay --to 50% train.py --steps 20
    """
    with redirect_stdout(sys.stderr):
        opened = open_typed(file, arguments)
    for line in _replayed(opened, keys, where, as_json=as_json, plain=plain):
        click.echo(line)
    sys.exit(opened.status)


def _replayed(
    opened: Opened, keys: str | None, where: str | None, *, as_json: bool, plain: bool
) -> Iterable[str]:
    """Return the lines that `replay` prints."""
    scenario, cursor, said = opened.scenario, Cursor(opened.recording), []
    if where is None and keys is None and not as_json:
        return narration(cursor.recording, plain, scenario)
    if where is None and keys is None:
        cursor = cursor.seek(cursor.recording.length)
    if where is not None:
        cursor = goto(cursor, where)
    if keys is not None:
        program = partial(record_file, scenario) if scenario else None
        reports: list[str] = []
        session = replay_keys(
            Session.open(cursor, program), headless.words(keys), partial(_report, reports)
        )
        cursor, said = session.cursor, [with_keys(session.said, KEYS), *reports]
    if as_json:
        return [json.dumps(headless.snapshot(scenario, cursor), indent=2, ensure_ascii=False)]
    if plain:
        event = cursor.position - 1
        told = say(cursor.recording, event) if event >= 0 else "Nothing has happened yet."
        return [told, *filter(None, said)]
    spaced = (line for text in said if text for line in ("", text))
    return [*headless.report(scenario, cursor), *spaced]


def _report(reports: list[str], command: Command, session: Session) -> None:
    """Add what a command reports, as plain text."""
    from stepgrad.tui.render.reports import REPORTS  # noqa: PLC0415 - Textual takes a while

    lines = REPORTS[command.name](session, KEYS).plain.splitlines()
    reports.append("\n".join(line.rstrip() for line in lines))
