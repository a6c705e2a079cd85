"""`stepgrad diagnose`: what is wrong in a run, and where to see it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import click

from stepgrad import diagnosis
from stepgrad.cli.arguments import FilesCommand
from stepgrad.cli.examining import examine, exit_status, expanded
from stepgrad.cli.output import echo, echo_json, echo_lines, wrapped
from stepgrad.cli.selecting import HOW
from stepgrad.diagnosis.findings import Finding, findings
from stepgrad.diagnosis.numbers.precision import precision as more_digits
from stepgrad.opening import How, Opened, refuse_idle, words_of
from stepgrad.printable import counted
from stepgrad.scenario.diagnosed import diagnosed


@dataclass(frozen=True, slots=True)
class Examined:
    """What is wrong in the run of a file; `error` says why it cannot be said.

    `asked` says what was looked at, and `failure` what ended the program, if that was an error or
    Ctrl+C.
    """

    file: str
    verdicts: Sequence[Finding] = ()
    notes: Sequence[Finding] = ()
    asked: str = ""
    error: str = ""
    status: int = 0
    failure: str = ""

    @property
    def failed(self) -> bool:
        """Whether anything is wrong."""
        return bool(self.verdicts)


class _Diagnose(FilesCommand):
    """Its help ends with the table of questions."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the questions."""
        super().format_epilog(ctx, formatter)
        with formatter.section("Questions"):
            formatter.write_dl([(each.name, each.asks) for each in diagnosis.QUESTIONS])


@click.command(cls=_Diagnose)
@click.argument("files", metavar="FILE... [ARGUMENTS]...", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--precision",
    is_flag=True,
    help="Compute passes again with 50 digits, and note what rounding has taken (needs mpmath).",
)
@HOW
def diagnose(
    files: tuple[str, ...],
    arguments: tuple[str, ...],
    *,
    as_json: bool,
    precision: bool,
    how: How,
) -> None:
    """Say what is wrong in a run, and where to see it.

    A FILE is a scenario, a recording, a program, or a folder of lessons. ARGUMENTS are those of the
    last file, a program; write `--` first if they begin with the name of a file. Each verdict says
    a cause with its numbers, what people do about it, and the command that opens the debugger
    there. `stepgrad help verdicts` says when exactly each is given.

    The exit status is 2 if a file cannot be opened, the program's own if it fails, and otherwise
    1 if there is any verdict. Notes do not count.

    \b
      stepgrad diagnose two_layer
      stepgrad diagnose --precision two_layer
      stepgrad diagnose --json train.py --steps 20
    """
    found = []
    names = expanded(files)
    refuse_idle(names, how)
    for file in names:
        behind = arguments if file == files[-1] else ()
        each = _examined(file, behind, how, precision=precision)
        found.append(each)
        if each.error:
            echo_lines(each.error, err=True)
        elif not as_json:
            for line in _told(each, behind):
                echo(line)
    if as_json:
        echo_json({"files": [_object(each) for each in found]})
    sys.exit(exit_status(found))


def _examined(file: str, arguments: Sequence[str], how: How, *, precision: bool) -> Examined:
    def look(opened: Opened) -> Examined:
        recording = opened.recording
        found = diagnosed(recording, opened.scenario)
        rounded = more_digits(recording) if precision else ()
        return Examined(
            file,
            findings(recording, found.verdicts),
            findings(recording, [*found.notes, *rounded]),
            asked=found.asked,
            status=opened.status,
            failure=opened.failure,
        )

    return examine(file, arguments, how, doing="diagnosing", look=look, bare=Examined)


def _told(found: Examined, arguments: Sequence[str]) -> Iterator[str]:
    """Yield a paragraph for each verdict and each note, below a line that counts them."""
    ended = found.failure
    if found.status and not ended:
        ended = f"the program ended with exit status {found.status}"
    until = " until then" if ended else ""
    if ended:
        yield f"{found.file}: {ended}"
    if not found.verdicts:
        looked = f", {found.asked}" if until and found.asked else f" {found.asked}".rstrip()
        yield f"{found.file}: nothing found{until}{looked or ': nothing was recorded'}"
    else:
        yield f"{found.file}: {counted(len(found.verdicts), 'verdict')}{until}"
    for each in (*found.verdicts, *found.notes):
        yield ""
        what = f"{each.verdict}{' (a note)' if each in found.notes else ''}: "
        yield from wrapped(f"{what}{each.evidence}", hanging=len(what))
        yield from wrapped(f"  {each.text}")
        yield from wrapped(f"  {each.advice}")
        if each.events:
            where = str(each.events[0])
            words = ["stepgrad", "run", "--at", where, *words_of(found.file), *arguments]
            yield f"  {shlex.join(words)}"


def _object(found: Examined) -> dict[str, Any]:
    return {
        "file": found.file,
        "error": found.error,
        "status": found.status,
        "failure": found.failure,
        "verdicts": [asdict(each) for each in found.verdicts],
        "notes": [asdict(each) for each in found.notes],
    }
