"""What commands have in common: files with arguments, telling every event, where to save."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path

import click

from stepgrad import headless
from stepgrad.atomic import permissions
from stepgrad.errors import StepgradError
from stepgrad.opening import SAVED, is_program
from stepgrad.recording.recording import Recording
from stepgrad.replay.say import say
from stepgrad.scenario.load import ScenarioFile

PLAIN = click.option(
    "--plain", is_flag=True, help="Tell every event in a sentence, as a screen reader wants it."
)

ARGUMENTS = click.argument("arguments", metavar="[ARGUMENTS]...", nargs=-1, type=click.UNPROCESSED)

_FILES = (".py", ".yaml", ".yml", SAVED)
_MOST_WORDS = 4  # of those that a note names


class FileCommand(click.Command):
    """A command on a FILE: what follows a program is the program's own, options and all."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Look for options of ours behind the name only where it is no program's."""
        ctx.allow_interspersed_args = False
        found, _, _ = self.make_parser(ctx).parse_args(list(args))
        program = is_program(str(found["file"]))
        if program and isinstance(found["arguments"], tuple):  # else there are none
            # Before anything is found to be missing: it may stand there.
            _note_options(self, str(found["file"]), found["arguments"])
        ctx.allow_interspersed_args = not program
        rest = super().parse_args(ctx, args)
        if ctx.params["arguments"] and not program:
            ctx.fail(f"Got unexpected extra argument ({' '.join(ctx.params['arguments'])})")
        return rest


class FilesCommand(click.Command):
    """A command on several files: a program is the last, and what follows it is its own."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take what stands behind the first program for its arguments."""
        end = next((i + 1 for i, arg in enumerate(args) if is_program(arg)), len(args))
        if arguments := args[end:]:
            program = args[end - 1]
            _note_options(self, program, arguments)
            files = [word for word in arguments if word.endswith(_FILES) and Path(word).is_file()]
            _note(program, files, f"{self.name} takes one program, as the last of its files")
        ctx.params["arguments"] = tuple(arguments)
        return super().parse_args(ctx, args[:end])


def _note_options(command: click.Command, program: str, arguments: Sequence[str]) -> None:
    """Say which arguments of a program are written like options of the command."""
    ours = {name for option in command.params for name in option.opts if name.startswith("-")}
    meant = [word for word in arguments if word.partition("=")[0] in ours]
    _note(program, meant, "options of stepgrad stand before the name")


def _note(program: str, words: Sequence[str], rule: str) -> None:
    """Say on stderr that words are arguments of a program, and by which rule."""
    if words:
        shown = ", ".join([*words[:_MOST_WORDS], *["..."] * (len(words) > _MOST_WORDS)])
        stand, are = ("stands", "is") if len(words) == 1 else ("stand", "are")
        told = f"note: {shown} {stand} behind {program} and {are} for it; {rule}"
        click.echo(told, err=True)


def check_writable(path: Path) -> None:
    """Raise what would be wrong with saving to `path`: now, not after an hour of training."""
    if not path.parent.is_dir():
        raise StepgradError(f"{path}: there is no folder {path.parent}")
    if not os.access(path.parent, os.W_OK):
        raise StepgradError(f"{path}: its folder cannot be written to")
    if path.exists():
        try:
            permissions(path)
        except OSError as error:
            raise StepgradError(f"{path}: {error.strerror}") from None


def check_output(path: Path, file: str) -> None:
    """Raise what would be wrong with writing to `path` what `file` says."""
    check_writable(path)
    if path.exists() and path == Path(file).absolute():
        raise StepgradError(f"{path}: that is what is to be read; -o names another file")


def narration(
    recording: Recording, plain: bool, scenario: ScenarioFile | None = None
) -> Iterable[str]:
    """Narrate every event in notation; if `plain`, in sentences, after title and lesson."""
    if not plain:
        return headless.narration(recording)
    about = recording.source.docstring if recording.source else ""  # of a program
    title = scenario.title if scenario else recording.name
    lesson = scenario.lesson if scenario else about
    opening = [line for text in (title, lesson.strip()) if text for line in (text, "")]
    return chain(opening, (say(recording, index) for index in range(recording.length)))


NOTHING_HAPPENED = """\
it made no stepgrad Values, or recorded them itself, or in another thread
  from stepgrad import Value  # or stepgrad.compat, for micrograd's"""


def say_nothing_happened(file: str, status: int) -> None:
    """Say why there is nothing to show; a program that failed has said enough."""
    if not status:
        click.echo(f"{file}: {NOTHING_HAPPENED}", err=True)
