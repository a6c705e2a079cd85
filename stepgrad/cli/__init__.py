"""The command line. Each command has its own module, which is loaded when the command is called."""

from __future__ import annotations

import errno
import signal
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from importlib import import_module
from io import StringIO, TextIOWrapper
from typing import Any, NoReturn, cast

import click

from stepgrad.cli.output import STDOUT, abandon_output, closed, echo, echo_lines
from stepgrad.errors import NotEnoughMemoryError, StepgradError
from stepgrad.loading import loading
from stepgrad.printable import printable
from stepgrad.version import __version__

COMMANDS = {
    "run": ("stepgrad.cli.run:run", "Open the debugger on FILE."),
    "record": ("stepgrad.cli.record:record", "Run FILE and save the recording."),
    "replay": ("stepgrad.cli.replay:replay", "Replay FILE without a screen."),
    "export": (
        "stepgrad.cli.export:export",
        "Write a position of FILE as a drawing, a hand-out or JSON.",
    ),
    "check": ("stepgrad.cli.check:check", "Check the expected numbers and the gradients of files."),
    "diagnose": (
        "stepgrad.cli.diagnose:diagnose",
        "Say what is wrong in a run, and where to see it.",
    ),
    "why": ("stepgrad.cli.why:why", "Say why a number of NODE is what it is."),
    "diff": ("stepgrad.cli.diff:diff", "Compare two recordings."),
    "torch-zoom": (
        "stepgrad.cli.zoom:zoom",
        "Open the debugger on one element of a PyTorch model.",
    ),
    "quiz": ("stepgrad.cli.quiz:quiz", "Predict numbers before they are shown."),
    "grade": ("stepgrad.cli.grade:grade", "Mark saved answers, and programs."),
    "list": ("stepgrad.cli.lessons:list_", "List the lessons that ship with stepgrad."),
    "glossary": ("stepgrad.cli.glossary:glossary", "Explain a WORD."),
    "new": ("stepgrad.cli.new:new", "Write a scenario to start from."),
    "serve": ("stepgrad.cli.serve:serve", "Serve the debugger to browsers on this machine."),
    "schema": ("stepgrad.cli.schema:schema", "Print the JSON Schema of scenario files."),
    "help": ("stepgrad.cli.help:help_", "Explain a command, or a topic."),
}
"""Where each command is, and what it does in brief, in the order of the help.

The help of all is there without loading any.
"""

_SIGPIPE = 13  # Windows has no name for it


class _Commands(Mapping[str, click.Command]):
    """The commands, each loaded on first use."""

    def __len__(self) -> int:
        return len(COMMANDS)

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __getitem__(self, name: str) -> click.Command:
        module, _, command = COMMANDS[name][0].partition(":")
        with loading():
            return cast("click.Command", getattr(import_module(module), command))


@contextmanager
def _read_or_not() -> Iterator[None]:
    """Exit as a shell expects if the output is not read: click itself would exit with 1."""
    try:
        yield
    except BrokenPipeError:
        abandon_output()
        sys.exit(128 + _SIGPIPE)


class _Group(click.Group):
    """A group whose commands end with a message and an exit status, never with a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's own
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List what the commands do."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, brief) for name, (_, brief) in COMMANDS.items()])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the topics of `stepgrad help`."""
        from stepgrad import pages  # noqa: PLC0415 - for this help only

        super().format_epilog(ctx, formatter)
        with formatter.section("Topics of `stepgrad help TOPIC`"):
            formatter.write_dl([(topic, pages.title(topic)) for topic in pages.TOPICS])

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Parse the options; `--help` and `--version` print here."""
        with _read_or_not():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Call a command."""
        with _read_or_not():
            return super().invoke(ctx)

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        """Run a command and exit with its status.

        That is 2 if something is wrong, 130 after Ctrl+C, and 141 if the output is not read.
        """
        # Where the encoding has no `−`, print `\u2212`: neither an error nor a wrong number.
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")
        try:
            sys.exit(self._status(*args, **extra))
        except OSError as error:
            abandon_output()
            if error.errno == errno.EPIPE:
                sys.exit(128 + _SIGPIPE)
            # Only the folder that a command is called in has no name, once it has been deleted.
            unnamed = "the current folder" if error.errno == errno.ENOENT else STDOUT
            echo(f"{error.filename or unnamed}: {error.strerror or error}", err=True)
            sys.exit(2)
        except KeyboardInterrupt:  # while a command is being ended
            sys.exit(128 + signal.SIGINT)

    def _status(self, *args: Any, **extra: Any) -> Any:
        """Run a command; return its status once all of its output is written."""
        status: Any
        try:
            status = super().main(*args, **extra | {"standalone_mode": False})
            if status is not None and sys.stdout is None:  # click has printed help to nowhere
                raise closed()
        except SystemExit as exit_:
            status = exit_.code
        except click.ClickException as error:
            message = " ".join(printable(error.format_message()).split())
            said = StringIO()
            click.UsageError(message, getattr(error, "ctx", None)).show(said)
            echo_lines(said.getvalue().rstrip(), err=True)
            status = error.exit_code
        except click.Abort:
            echo("Aborted!", err=True)
            status = 128 + signal.SIGINT
        except StepgradError as error:
            echo_lines(error, err=True)
            status = 2
        except MemoryError:
            echo(f"stepgrad: {NotEnoughMemoryError()}", err=True)
            status = 2
        if sys.stdout is not None and not sys.stdout.closed:
            sys.stdout.flush()
        return status


PROGRAM = "a script, a notebook, a folder with a `__main__.py`, or `-m package.module`"
"""What a program is that can run."""


_HELP = f"""Step through backpropagation one event at a time, forwards and backwards.

FILE is a scenario (a YAML file, or the name of one that ships with stepgrad), a program of your own
with its arguments ({PROGRAM}), or a saved recording. `run`, `list`, `check` and `diagnose` also
take a folder of lessons.

\b
  stepgrad help tour                once around, in ten minutes
  stepgrad list                     list the lessons that ship
  stepgrad run two_layer            step through one
  stepgrad run train.py             run a program, then step through what it did
  stepgrad run -m package.train     the same for a module
  stepgrad check scenarios/*.yaml   check expectations and gradients
  stepgrad diagnose train.py        say what is wrong in a run, and where
  stepgrad why dead_relu w.grad     say why a number is what it is
"""


@click.group(
    cls=_Group,
    help=_HELP,
    commands=cast("MutableMapping[str, click.Command]", _Commands()),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="stepgrad")
def main() -> None:
    """The command line; its help is `_HELP`."""
