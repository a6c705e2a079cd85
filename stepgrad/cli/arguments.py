"""What several commands have in common: FILE with its arguments, an output, telling every event."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import click

from stepgrad import headless
from stepgrad.errors import StepgradError
from stepgrad.opening import is_program
from stepgrad.recording.recording import Recording
from stepgrad.replay.narrate import say

PLAIN = click.option(
    "--plain", is_flag=True, help="Tell every event in a sentence, as a screen reader wants it."
)

ARGUMENTS = click.argument("arguments", metavar="[ARGUMENTS]...", nargs=-1, type=click.UNPROCESSED)


class FileCommand(click.Command):
    """A command on a FILE: what follows a program is the program's own, options and all."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Look for options of ours behind the name only where it is no program's."""
        ctx.allow_interspersed_args = False
        found, _, _ = self.make_parser(ctx).parse_args(list(args))
        program = is_program(str(found["file"]))
        ctx.allow_interspersed_args = not program
        rest = super().parse_args(ctx, args)
        if ctx.params["arguments"] and not program:
            ctx.fail(f"Got unexpected extra argument ({' '.join(ctx.params['arguments'])})")
        return rest


def narration(recording: Recording, plain: bool) -> Iterable[str]:
    """Tell every event: in notation, or in sentences."""
    if plain:
        return (say(recording, index) for index in range(recording.length))
    return headless.narration(recording)


def say_nothing_happened(file: str, status: int) -> None:
    """Say why there is nothing to show; a program that failed has said enough."""
    if not status:
        click.echo(f"{file}: it made no stepgrad Values, or recorded them itself", err=True)
        click.echo("  from stepgrad import Value  # or stepgrad.compat, for micrograd's", err=True)


def check_output(path: Path, file: str) -> None:
    """Raise what would be wrong with writing to `path`: now, not after an hour of training."""
    if path.is_dir():
        raise StepgradError(f"{path}: is a folder")
    if path.exists() and path == Path(file).absolute():
        raise StepgradError(f"{path}: that is what is to be read; -o names another file")
    if not os.access(path.parent, os.W_OK):
        raise StepgradError(f"{path}: its folder cannot be written to")
