"""The command line: `run`, `record`, `replay`, `check`, `list`."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Iterable
from contextlib import redirect_stdout
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import click

import stepgrad
from stepgrad import headless
from stepgrad.atomic import permissions
from stepgrad.debugger import has_screen, loading, open_debugger
from stepgrad.errors import StepgradError
from stepgrad.opening import SAVED, Opened, is_program, is_scenario, open_typed
from stepgrad.recording.recording import Recording
from stepgrad.replay.commands import goto
from stepgrad.replay.commands import replay as replay_keys
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.narrate import say
from stepgrad.replay.session import Session
from stepgrad.scenario import gallery, open_scenario
from stepgrad.scenario.expect import checks


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


class _Command(click.Command):
    """A command on a FILE: what follows a program is the program's own, options and all."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.allow_interspersed_args = False
        found, _, _ = self.make_parser(ctx).parse_args(list(args))
        program = is_program(str(found["file"]))
        ctx.allow_interspersed_args = not program
        rest = super().parse_args(ctx, args)
        if ctx.params["arguments"] and not program:
            ctx.fail(f"Got unexpected extra argument ({' '.join(ctx.params['arguments'])})")
        return rest


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(stepgrad.__version__, prog_name="stepgrad")
def main() -> None:
    """Replay how gradients are made, one event at a time, forwards and backwards.

    FILE is a scenario: a YAML file, or the name of one that ships with stepgrad. Or a Python
    program of your own, with its arguments. Or a recording that was saved.

    \b
      stepgrad list                     the scenarios that ship
      stepgrad run two_layer            step through one
      stepgrad run train.py             run a program, then step through what it did
      stepgrad check scenarios/*.yaml   hold scenarios against their expectations
    """
    # A terminal that has no `−` gets `\u2212`: not pretty, but no error and not another number.
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


PLAIN = click.option(
    "--plain", is_flag=True, help="Tell every event in a sentence, as a screen reader wants it."
)


ARGUMENTS = click.argument("arguments", metavar="[ARGUMENTS]...", nargs=-1, type=click.UNPROCESSED)


@main.command(cls=_Command)
@click.argument("file", metavar="[FILE]", required=False)
@ARGUMENTS
@click.option("--theme", metavar="NAME", default="", help="Colours: textual-light, nord, ...")
@PLAIN
def run(file: str | None, arguments: tuple[str, ...], theme: str, plain: bool) -> None:
    """Open the debugger on FILE; without one, choose a lesson.

    A program runs as it does under python, and the debugger opens when it has ended. What stands
    behind its name is for the program. The exit status is the program's.

    Where there is no terminal, the events of a scenario are narrated, and those of a program or a
    recording are counted; --plain narrates them.

    \b
      stepgrad run
      stepgrad run two_layer
      stepgrad run my_network.yaml --theme textual-light
      stepgrad run two_layer --plain
      stepgrad run train.py --steps 20
    """
    screen = has_screen() and not plain  # asked first: a program may change the streams
    if file is None:
        open_debugger(None, theme=theme) if screen else _print_list()
        return
    if screen and is_scenario(file):
        _open_growing(file, theme)
        return
    opened = open_typed(file, arguments)
    recording = opened.recording
    if not recording.length and opened.scenario is None:
        _say_nothing_happened(file, opened.status)
    elif screen:
        # Who looks at a program that failed wants to see where.
        position = recording.length if opened.status else 0
        open_debugger(recording, opened.scenario, theme=theme, position=position)
    elif plain or opened.scenario is not None:
        for line in _narration(recording, plain):
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


def _say_nothing_happened(file: str, status: int) -> None:
    """Say why there is nothing to show; a program that failed has said enough."""
    if not status:
        click.echo(
            f"{file}: it made no stepgrad Values, or recorded them itself, or in another thread",
            err=True,
        )
        click.echo("  from stepgrad import Value  # or stepgrad.compat, for micrograd's", err=True)


def _narration(recording: Recording, plain: bool) -> Iterable[str]:
    """Tell every event: in notation, or in sentences."""
    if plain:
        return (say(recording, index) for index in range(recording.length))
    return headless.narration(recording)


@main.command(cls=_Command)
@click.argument("file", metavar="FILE")
@ARGUMENTS
@click.option(
    "-o", "--output", metavar="PATH", type=click.Path(path_type=Path), help="Where to save it."
)
def record(file: str, arguments: tuple[str, ...], output: Path | None) -> None:
    """Run FILE and save what was recorded, for `run` and `replay` to open.

    Without -o, the recording of `train.py` is `train.stepgrad`, in this folder. A program that
    fails is saved until there; the exit status is the program's.

    \b
      stepgrad record xor_tanh
      stepgrad record -o slow.stepgrad train.py --rate 0.01
    """
    shown = output or Path(f"{Path(file).stem}{SAVED}")
    path = shown.absolute()  # a program may go to another folder
    _check_output(path, file)
    opened = open_typed(file, arguments)
    if not opened.recording.length:
        _say_nothing_happened(file, opened.status)
        sys.exit(opened.status or 2)
    opened.recording.save(path)
    size = path.stat().st_size
    click.echo(f"{headless.summary(opened.recording)}; {size:,} bytes in {shown}", err=True)
    sys.exit(opened.status)


def _check_output(path: Path, file: str) -> None:
    """Raise what would be wrong with saving to `path`: now, not after an hour of training."""
    if path.exists() and path == Path(file).absolute():
        raise StepgradError(f"{path}: that is what is to be recorded; -o names another file")
    if not path.parent.is_dir():
        raise StepgradError(f"{path}: there is no folder {path.parent}")
    if not os.access(path.parent, os.W_OK):
        raise StepgradError(f"{path}: its folder cannot be written to")
    if path.exists():
        try:
            permissions(path)
        except OSError as error:
            raise StepgradError(f"{path}: {error.strerror}") from None


@main.command(cls=_Command)
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
    scenario, cursor = opened.scenario, Cursor(opened.recording)
    if where is None and keys is None and not as_json:
        return _narration(cursor.recording, plain)
    if where is None and keys is None:
        cursor = cursor.seek(cursor.recording.length)
    if where is not None:
        cursor = goto(cursor, where)
    if keys is not None:
        cursor = replay_keys(Session.open(cursor), headless.words(keys)).cursor
    if as_json:
        return [json.dumps(headless.snapshot(scenario, cursor), indent=2, ensure_ascii=False)]
    if plain:
        event = cursor.position - 1
        return [say(cursor.recording, event) if event >= 0 else "Nothing has happened yet."]
    return headless.report(scenario, cursor)


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
            if is_program(name):
                raise StepgradError(f"{name}: a program expects nothing; scenarios do")
            opened = open_typed(name)
            promised = checks(opened.scenario, opened.recording) if opened.scenario else []
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
            for line in headless.shortfall(opened.recording, each):
                click.echo(f"  {line}")
    sys.exit(2 if broken else 1 if failed else 0)


@main.command(name="list")
def list_() -> None:
    """List the scenarios that ship with stepgrad.

    \b
      stepgrad list
    """
    _print_list()


def _print_list() -> None:
    files = gallery()
    width = max(map(len, files), default=0)
    level: str | None = ""
    for name, file in files.items():
        if file.model.level != level:
            level = file.model.level
            click.echo(f"{level or 'other'}:")
        click.echo(f"  {name:<{width}}  {file.title}")
