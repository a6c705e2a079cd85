"""What commands share: FILE and its arguments, checks of output paths, narration."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path

import click

from stepgrad import headless
from stepgrad.atomic import permissions
from stepgrad.cli.output import echo
from stepgrad.errors import StepgradError
from stepgrad.opening import SAVED, is_program
from stepgrad.recording.memory import as_bytes
from stepgrad.recording.recording import Recording
from stepgrad.replay.telling.sentences import say
from stepgrad.scenario.library import shipped
from stepgrad.scenario.load import ScenarioFile

PLAIN = click.option(
    "--plain", is_flag=True, help="Describe every event in a sentence, for screen readers."
)


def _in_bytes(_ctx: click.Context, _param: click.Parameter, size: str | None) -> int | None:
    """Read an amount of memory."""
    try:
        return None if size is None else as_bytes(size)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


MEMORY = click.option(
    "--memory",
    metavar="SIZE",
    callback=_in_bytes,
    help="Limit the memory of the recording, such as 500MB; default: a quarter of what is free.",
)

ARGUMENTS = click.argument("arguments", metavar="[ARGUMENTS]...", nargs=-1, type=click.UNPROCESSED)

READ = {".py": "a program", ".yaml": "a scenario", ".yml": "a scenario", SAVED: "a recording"}
"""What stepgrad reads, by suffix."""

_MOST_WORDS = 4  # listed in a note


class FileCommand(click.Command):
    """A command on a FILE: what follows a program belongs to it, options and all."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Look for our own options after the name only if it is not a program."""
        ctx.allow_interspersed_args = False
        found, _, _ = self.make_parser(ctx).parse_args(list(args))
        program = is_program(str(found["file"]))
        if program and isinstance(found["arguments"], tuple):  # else there are none
            # Before a missing option is reported: it may be among these.
            _note_options(self, str(found["file"]), found["arguments"])
        ctx.allow_interspersed_args = not program
        rest = super().parse_args(ctx, args)
        if ctx.params["arguments"] and not program:
            ctx.fail(f"Got unexpected extra argument ({' '.join(ctx.params['arguments'])})")
        return rest


class FilesCommand(click.Command):
    """A command on several files: a program comes last, and what follows belongs to it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take what follows the first program as its arguments."""
        end = next((i + 1 for i, arg in enumerate(args) if is_program(arg)), len(args))
        if arguments := args[end:]:
            program = args[end - 1]
            _note_options(self, program, arguments)
            files = [
                word for word in arguments if Path(word).suffix in READ and Path(word).is_file()
            ]
            _note(program, files, f"{self.name} takes one program, as its last file")
        ctx.params["arguments"] = tuple(arguments)
        return super().parse_args(ctx, args[:end])


def _note_options(command: click.Command, program: str, arguments: Sequence[str]) -> None:
    """Say which arguments of a program look like options of the command."""
    ours = {name for option in command.params for name in option.opts if name.startswith("-")}
    meant = [word for word in arguments if word.partition("=")[0] in ours]
    _note(program, meant, "options for stepgrad go before the program")


def _note(program: str, words: Sequence[str], rule: str) -> None:
    """Say on stderr that words are taken as arguments of a program, and why."""
    if words:
        shown = ", ".join([*words[:_MOST_WORDS], *["..."] * (len(words) > _MOST_WORDS)])
        come, are = ("comes", "is") if len(words) == 1 else ("come", "are")
        note = f"note: {shown} {come} after {program} and {are} passed to it; {rule}"
        echo(note, err=True)


def check_writable(path: Path) -> None:
    """Raise an error if `path` cannot be written: now, not after an hour of training."""
    if not path.parent.is_dir():
        raise StepgradError(f"{path}: the folder {path.parent} does not exist")
    if not os.access(path.parent, os.W_OK):
        raise StepgradError(f"{path}: its folder is not writable")
    if path.exists():
        try:
            permissions(path)
        except OSError as error:
            raise StepgradError(f"{path}: {error.strerror}") from None


def check_output(path: Path, files: Iterable[str]) -> None:
    """Raise an error if output cannot be written to `path`: it may be none of the input `files`."""
    check_writable(path)
    for file in files:
        read = Path(file) if Path(file).exists() else shipped().get(file)
        # Compare files, not names: links and `..` give a file many names.
        if path.exists() and read is not None and path.samefile(read):
            raise StepgradError(
                f"{path}: this is the input file; choose another name for the output"
            )


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
nothing was recorded: no Values were made, or only in another thread or inside record()
  from stepgrad import Value  # or stepgrad.compat, for micrograd's"""


def say_nothing_happened(file: str, status: int) -> None:
    """Say why there is nothing to show, unless the program failed: then its error says it."""
    if not status:
        echo(f"{file}: {NOTHING_HAPPENED}", err=True)
