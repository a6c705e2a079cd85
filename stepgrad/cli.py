"""The command line: `run`, `replay`, `check`, `list`."""

from __future__ import annotations

import errno
import json
import os
import shlex
import sys
from io import TextIOWrapper
from typing import Any

import click

import stepgrad
from stepgrad import headless
from stepgrad.errors import StepgradError
from stepgrad.recording.recording import Recording
from stepgrad.replay.commands import goto
from stepgrad.replay.commands import replay as replay_keys
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.narrate import say
from stepgrad.replay.numbers import number
from stepgrad.replay.session import Session
from stepgrad.scenario import ScenarioFile, open_scenario, shipped
from stepgrad.scenario.build import record_file
from stepgrad.scenario.expect import Check, checks


class _Group(click.Group):
    """A group whose commands fail with a message and exit status 2, never with a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except StepgradError as error:
            click.echo(error, err=True)
            ctx.exit(2)
        except OSError as error:
            if error.errno == errno.EPIPE:  # click ends quietly when nobody reads on
                raise
            click.echo(f"stepgrad: {error.strerror or error}", err=True)
            ctx.exit(2)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(stepgrad.__version__, prog_name="stepgrad")
def main() -> None:
    """Replay how gradients are made, one event at a time, forwards and backwards.

    FILE is a scenario: a YAML file, or the name of one that ships with stepgrad.

    \b
      stepgrad list                     the scenarios that ship
      stepgrad run two_layer            step through one
      stepgrad check scenarios/*.yaml   hold them against their expectations
    """
    # A terminal that has no `−` gets `\u2212`: not pretty, but no error and not another number.
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


PLAIN = click.option(
    "--plain", is_flag=True, help="Tell every event in a sentence, as a screen reader wants it."
)


@main.command()
@click.argument("file", metavar="[FILE]", required=False)
@click.option("--theme", metavar="NAME", default="", help="Colours: textual-light, nord, ...")
@PLAIN
def run(file: str | None, theme: str, plain: bool) -> None:
    """Open the debugger on a scenario; without FILE, choose a lesson.

    Where there is no terminal, every event is narrated instead.

    \b
      stepgrad run
      stepgrad run two_layer
      stepgrad run my_network.yaml --theme textual-light
      stepgrad run two_layer --plain
    """
    scenario = None if file is None else open_scenario(file)
    recording = None if scenario is None else record_file(scenario)
    if _has_screen() and not plain:
        # Textual is for the screen only.
        from stepgrad.tui.app import DebuggerApp  # noqa: PLC0415
        from stepgrad.tui.keymap import keymap_path  # noqa: PLC0415

        DebuggerApp(recording, scenario, theme=theme, keys=keymap_path()).run()
    elif recording is None:
        _print_list()
    else:
        _narrate(recording, plain)


def _has_screen() -> bool:
    """Whether there is a terminal to draw on, and a keyboard: a dumb one is neither."""
    terminal = all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))
    return terminal and os.environ.get("TERM") != "dumb"


def _narrate(recording: Recording, plain: bool) -> None:
    """Print every event: in notation, or in sentences."""
    lines = (say(recording, index) for index in range(recording.length))
    for line in lines if plain else headless.narration(recording):
        click.echo(line)


@main.command()
@click.argument("file", metavar="FILE")
@click.option("--keys", metavar="KEYS", help="Keys to press, with spaces between: 's s n t'.")
@click.option("--to", "where", metavar="POSITION", help="Go to 14, 50%, 'step 20' or a name.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@PLAIN
def replay(file: str, keys: str | None, where: str | None, as_json: bool, plain: bool) -> None:
    """Replay a scenario without a screen.

    Alone it narrates every event. With --keys, --to or --json it prints where that ends.

    \b
      stepgrad replay two_layer
      stepgrad replay two_layer --keys "f n n"
      stepgrad replay xor_tanh --to "step 20" --json
    """
    scenario = open_scenario(file)
    cursor = Cursor(record_file(scenario))
    if where is None and keys is None and not as_json:
        _narrate(cursor.recording, plain)
        return
    if where is None and keys is None:
        cursor = cursor.seek(cursor.recording.length)
    if where is not None:
        cursor = goto(cursor, where)
    if keys is not None:
        cursor = replay_keys(Session.open(cursor), _words(keys)).cursor
    if as_json:
        click.echo(json.dumps(headless.snapshot(scenario, cursor), indent=2, ensure_ascii=False))
    elif plain:
        event = cursor.position - 1
        click.echo(say(cursor.recording, event) if event >= 0 else "Nothing has happened yet.")
    else:
        for line in headless.report(scenario, cursor):
            click.echo(line)


def _words(keys: str) -> list[str]:
    """Split a script of keys as a shell would, so that ':step 20' is one."""
    try:
        return shlex.split(keys)
    except ValueError as error:
        raise StepgradError(f"--keys {keys!r}: {error}") from error


@main.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
def check(files: tuple[str, ...]) -> None:
    """Hold scenarios against what they expect; exit status 1 if one falls short.

    \b
      stepgrad check two_layer xor_tanh
      stepgrad check scenarios/*.yaml
    """
    failed = broken = 0
    width = max(map(len, files))
    for name in files:
        try:
            scenario = open_scenario(name)
            promised = checks(scenario, record_file(scenario))
        except StepgradError as error:
            click.echo(f"{name:<{width}}  unreadable")
            click.echo(error, err=True)
            broken += 1
            continue
        short = [each for each in promised if not each.ok]
        failed += bool(short)
        verdict = "FAILED" if short else "ok" if promised else "nothing expected"
        click.echo(
            f"{name:<{width}}  {len(promised) - len(short):>3}/{len(promised):<3}  {verdict}"
        )
        for each in short:
            click.echo(f"  {_shortfall(scenario, each)}")
    sys.exit(2 if broken else 1 if failed else 0)


def _shortfall(scenario: ScenarioFile, check: Check) -> str:
    got = "never came" if check.got is None else f"is {number(check.got)}"
    where = f"{scenario.path}:{check.line}"
    return f"{where}: {check.name} {got}, expected {number(check.expected)}"


@main.command(name="list")
def list_() -> None:
    """List the scenarios that ship with stepgrad.

    \b
      stepgrad list
    """
    _print_list()


def _print_list() -> None:
    names = shipped()
    width = max(map(len, names), default=0)
    for name in names:
        click.echo(f"{name:<{width}}  {open_scenario(name).title}")
