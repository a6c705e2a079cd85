"""The command line. Each command is a module of its own, which is loaded when it is called."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from io import TextIOWrapper
from typing import Any, cast

import click

from stepgrad.errors import NotEnoughMemoryError, StepgradError
from stepgrad.version import __version__

COMMANDS = {
    "run": "stepgrad.cli.run:run",
    "record": "stepgrad.cli.record:record",
    "replay": "stepgrad.cli.replay:replay",
    "export": "stepgrad.cli.export:export",
    "check": "stepgrad.cli.check:check",
    "quiz": "stepgrad.cli.quiz:quiz",
    "list": "stepgrad.cli.lessons:list_",
    "new": "stepgrad.cli.new:new",
    "schema": "stepgrad.cli.schema:schema",
    "help": "stepgrad.cli.help:help_",
}
"""Where each command is, in the order of the help."""


class _Commands(Mapping[str, click.Command]):
    """The commands, each loaded when it is asked for."""

    def __len__(self) -> int:
        return len(COMMANDS)

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __getitem__(self, name: str) -> click.Command:
        module, _, command = COMMANDS[name].partition(":")
        return cast("click.Command", getattr(import_module(module), command))


class _Group(click.Group):
    """A group whose commands fail with a message and exit status 2, never with a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's own
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def invoke(self, ctx: click.Context) -> Any:
        """Call a command, and tell what is wrong."""
        try:
            return super().invoke(ctx)
        except StepgradError as error:
            click.echo(error, err=True)
            ctx.exit(2)
        except MemoryError:
            click.echo(f"stepgrad: {NotEnoughMemoryError()}", err=True)
            ctx.exit(2)
        except OSError as error:
            if error.errno == errno.EPIPE:  # click ends quietly when nobody reads on
                raise
            click.echo(f"stepgrad: {error.strerror or error}", err=True)
            ctx.exit(2)


@click.group(
    cls=_Group,
    commands=cast("MutableMapping[str, click.Command]", _Commands()),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="stepgrad")
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
