"""What commands share: FILE and its arguments, checks of output paths."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import redirect_stdout, suppress
from functools import wraps
from pathlib import Path
from typing import Any

import click

from stepgrad.cli import PROGRAM
from stepgrad.cli.output import echo, echo_lines
from stepgrad.errors import StepgradError
from stepgrad.opening import (
    How,
    Opened,
    files_typed,
    is_course,
    is_program,
    is_saved,
    open_typed,
    words_of,
)
from stepgrad.program.named import MODULE
from stepgrad.recording.foreign.remark import GRADLESS, OPERATORLESS
from stepgrad.recording.recording import SAVED, Recording
from stepgrad.scenario.library import shipped, shipped_lessons

PLAIN = click.option(
    "--plain", is_flag=True, help="Describe every event in a sentence, for screen readers."
)


def at_position(does: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the option `--at`, a position; its help begins with what the command `does` there.

    It was called `--to`, as the format of an export is, and that works as well.
    """
    told = f"{does} 14, 50%, 'step 20' or a name."
    option = click.option("--at", "where", metavar="POSITION", help=told)
    former = click.option("--to", "former", hidden=True)

    def with_option(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def wrapped(*args: Any, where: str | None, former: str | None, **kwargs: Any) -> Any:
            return command(*args, where=former if where is None else where, **kwargs)

        return option(former(wrapped))

    return with_option


ARGUMENTS = click.argument("arguments", metavar="[ARGUMENTS]...", nargs=-1, type=click.UNPROCESSED)

READ = {
    ".py": "a program",
    ".ipynb": "a notebook",
    ".yaml": "a scenario",
    ".yml": "a scenario",
    SAVED: "a recording",
}
"""What stepgrad reads, by suffix."""

_MOST_WORDS = 4  # listed in a note


class _OnFiles(click.Command):
    """A command on files; its help says which programs can run."""

    def format_epilog(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what comes after the options."""
        formatter.write_paragraph()
        formatter.write_text(f"A program is {PROGRAM}.")


class FileCommand(_OnFiles):
    """A command on a FILE: what follows a program belongs to it, options and all."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Look for our own options after the name only if it is not a program."""
        ctx.allow_interspersed_args = False
        args = _with_module(ctx, args, self._has_file)
        found, _, _ = self.make_parser(ctx).parse_args(list(args))
        file, arguments = str(found["file"]), found["arguments"]
        program = is_program(file)
        behind = arguments if program and isinstance(arguments, tuple) else ()
        ctx.allow_interspersed_args = not program
        before = args[: len(args) - len(behind)]
        try:
            rest = super().parse_args(ctx, args)
        except click.MissingParameter as error:
            if error.param is None or not _meant([error.param], behind):
                raise
            words = _in_order(self, before, behind)
            raise StepgradError(
                f"options for stepgrad go before the program: {shlex.join(words)}"
            ) from None
        if ctx.params["arguments"] and not program:
            ctx.fail(f"Got unexpected extra argument ({' '.join(ctx.params['arguments'])})")
        _note_options(self, file, behind)
        return rest

    def _has_file(self, args: list[str]) -> bool:
        with suppress(click.UsageError):  # an option still lacks its value
            found, _, _ = self.make_parser(click.Context(self)).parse_args(args)
            return isinstance(found["file"], str)
        return True


class FilesCommand(_OnFiles):
    """A command on several files: what follows the last one belongs to it, if it is a program.

    A program that another file follows has no arguments, so that `scenarios/*` means all of them;
    after `--`, whatever follows is an argument.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take what follows the last program as its arguments."""
        args = _with_module(ctx, args, lambda before: any(map(is_program, before)))
        ends = (i + 1 for i, arg in enumerate(args) if is_program(arg))
        end = next((end for end in ends if not _goes_on(*args[end - 1 : end + 1])), len(args))
        if arguments := args[end:]:
            program = args[end - 1]
            if arguments[0] == "--":
                del arguments[0]
            else:
                self._refuse_either(program, args[:end], arguments)
                _note_options(self, program, arguments)
                _note(program, [*filter(_is_there, arguments)], "files come before arguments")
        ctx.params["arguments"] = tuple(arguments)
        return super().parse_args(ctx, args[:end])

    def _refuse_either(self, program: str, before: list[str], arguments: Sequence[str]) -> None:
        """Refuse a word after a program that may be its argument, or lessons to look at."""
        word = arguments[0]
        if word in shipped() or _has_lessons(word):
            words = [*(each for each in before[:-1] if each != "--"), *words_of(program)]
            passed = shlex.join(["stepgrad", str(self.name), *words, "--", *arguments])
            raise click.UsageError(
                f"{word} may be lessons, or an argument of {program}: "
                f"write it before {program}, or pass it with --: {passed}"
            )


def _goes_on(program: str, word: str = "") -> bool:
    """Whether the word after a program is meant as another file, even if there is none.

    After a lesson that is a program, lessons are meant.
    """
    lesson = program in shipped_lessons() and not Path(program).exists()
    return Path(word).suffix in READ or is_program(word) or (lesson and word in shipped())


def _is_there(word: str) -> bool:
    return Path(word).suffix in READ and Path(word).is_file()


def _has_lessons(word: str) -> bool:
    with suppress(StepgradError):
        return is_course(word) and bool(files_typed(word))
    return False


def _with_module(
    ctx: click.Context, args: list[str], has_file: Callable[[list[str]], bool]
) -> list[str]:
    """Make one word of `-m MODULE`, which is a program; after one, it is an argument of that."""
    if "-m" not in args or has_file(args[: args.index("-m")]):
        return args
    at = args.index("-m")
    if at + 1 == len(args):
        ctx.fail("Option '-m' requires the name of a module.")
    return [*args[:at], "--", MODULE + args[at + 1], *args[at + 2 :]]


def _note_options(command: click.Command, program: str, arguments: Sequence[str]) -> None:
    """Say which arguments of a program look like options of the command."""
    meant = _meant(command.params, arguments)
    _note(program, meant, "options for stepgrad go before the program")


def _meant(params: Iterable[click.Parameter], arguments: Sequence[str]) -> list[str]:
    """Return which arguments of a program look like some options."""
    ours = {name for option in params for name in option.opts if name.startswith("-")}
    return [word for word in arguments if word.partition("=")[0] in ours]


def _in_order(command: click.Command, before: Sequence[str], behind: Sequence[str]) -> list[str]:
    """Return a command line whose options come before the program, which is last in `before`."""
    options, rest, words = [], [], iter(behind)
    values = [each for each in command.params if not getattr(each, "is_flag", False)]
    for word in words:
        if not _meant(command.params, [word]):
            rest.append(word)
            continue
        options.append(word)
        if "=" not in word and _meant(values, [word]):
            options += [value for value in [next(words, None)] if value is not None]
    *given, program = (word for word in before if word != "--")
    return ["stepgrad", str(command.name), *given, *options, *words_of(program), *rest]


def _note(program: str, words: Sequence[str], rule: str) -> None:
    """Say on stderr that words are taken as arguments of a program, and why."""
    if words:
        shown = ", ".join([*words[:_MOST_WORDS], *["..."] * (len(words) > _MOST_WORDS)])
        come, are = ("comes", "is") if len(words) == 1 else ("come", "are")
        note = f"note: {shown} {come} after {program} and {are} passed to it; {rule}"
        echo(note, err=True)


def nothing_recorded(file: str, recording: Recording) -> StepgradError:
    """Return the error that there is nothing to show."""
    if recording.remarks:
        why = "; ".join(dict.fromkeys(remark.text for remark in recording.remarks))
        lines = [f"{file}: nothing was recorded: {why}"]
        if any(remark.kind == "unseen" for remark in recording.remarks):
            lines.append("  A frozen dataclass writes like that; without frozen=True, it is seen.")
        if any(remark.kind == GRADLESS for remark in recording.remarks):
            lines.append("  Store each gradient in its object: `self.grad = 0.0`, `v.grad += …`.")
        if any(remark.kind == OPERATORLESS for remark in recording.remarks):
            lines += [
                "  Turn them into methods of the class: `def __add__(self, other): …`, and write",
                "  `a + b` for `add(a, b)`. Or use stepgrad.Value, which has them.",
            ]
        return StepgradError(*lines)
    if is_saved(file):
        return StepgradError(f"{file}: the recording is empty")
    return StepgradError(
        f"{file}: nothing was recorded: no Values were made, or only in another thread or "
        "process, or inside record()",
        "  from stepgrad import Value  # or stepgrad.compat, for micrograd's",
        "  A class of your own is observed if it has `__add__` or `__mul__`, and two numbers,",
        "  `data` and `grad`; other names for them are in stepgrad help engine.",
    )


def open_recorded(file: str, arguments: tuple[str, ...], how: How) -> Opened:
    """Open a file; what a program prints goes to stderr. Ends the command if nothing happened."""
    with redirect_stdout(sys.stderr):
        then = "Ctrl+C goes on with what there is"
        opened = open_typed(file, arguments, how, then=then)
    if not opened.recording.length:
        say_nothing_happened(file, opened)
        sys.exit(opened.status or 2)
    return opened


def say_nothing_happened(file: str, opened: Opened) -> None:
    """Say why there is nothing to show, unless the program failed: then its error says it."""
    if not opened.status:
        echo_lines(nothing_recorded(file, opened.recording), err=True)
