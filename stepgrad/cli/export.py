"""`stepgrad export`: a position as a drawing, a hand-out or data."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path

import click

from stepgrad.atomic import write_atomically
from stepgrad.cli.arguments import ARGUMENTS, FileCommand, check_output, say_nothing_happened
from stepgrad.errors import StepgradError
from stepgrad.export import FORMATS
from stepgrad.export import export as exported
from stepgrad.export.picture import where as where_is
from stepgrad.export.position import end, find
from stepgrad.opening import open_typed
from stepgrad.replay.cursor import Cursor

_SUFFIXES = {
    ".svg": "svg",
    ".dot": "dot",
    ".gv": "dot",
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".json": "json",
}
_DRAWN_ELSEWHERE = (".png", ".pdf", ".jpg", ".jpeg", ".gif", ".webp")


@click.command(cls=FileCommand)
@click.argument("file", metavar="FILE")
@ARGUMENTS
@click.option("--to", "to", type=click.Choice(list(FORMATS)), required=True, help="The format.")
@click.option(
    "--at",
    "where",
    metavar="POSITION",
    help="14, 50%, 'step 20' (its end) or a name; the default is the end.",
)
@click.option(
    "-o", "--output", metavar="PATH", type=click.Path(path_type=Path), help="The file to write."
)
def export(
    file: str, arguments: tuple[str, ...], *, to: str, where: str | None, output: Path | None
) -> None:
    """Write a position of FILE as a drawing (svg, dot, mermaid), a hand-out or data (json).

    A hand-out (markdown, html) has the lesson, the numbers and both passes line by line; html has
    the drawing too, and prints on A4. Of a training it shows one step, of forward mode each pass.
    In the drawing of a large graph, scopes are folded. Options go before the name of a program.

    The default position is the end; of a training, the end of its last step with a backward pass.
    `--at "step 20"` is the end of that step, after the update.

    \b
      stepgrad export two_layer --to svg -o two_layer.svg
      stepgrad export two_layer --to dot --at 50% -o two_layer.dot
      stepgrad export xor_tanh --to html --at "step 20" -o step20.html
      stepgrad export --to markdown -o notes.md train.py
    """
    path = output.absolute() if output else None  # a program may go to another folder
    if path is not None:
        check_output(path, file)
        _check_suffix(path, to)
    with redirect_stdout(sys.stderr):
        opened = open_typed(file, arguments)
    if not opened.recording.length:
        say_nothing_happened(file, opened.status)
        sys.exit(opened.status or 2)
    recording = opened.recording
    cursor = Cursor(recording, end(recording) if where is None else find(recording, where))
    text = exported(opened.scenario, cursor, to)
    if path is None:
        click.echo(text, nl=False)
    else:
        content = text.encode()
        write_atomically(path, content)
        click.echo(f"{where_is(cursor.state)}; {len(content):,} bytes in {output}", err=True)
    sys.exit(opened.status)


def _check_suffix(path: Path, to: str) -> None:
    """Refuse a file name of another format."""
    suffix = path.suffix.lower()
    usual = next(each for each, format_ in _SUFFIXES.items() if format_ == to)
    instead = f"--to {to} writes {path.with_suffix(usual).name}"
    if suffix in _DRAWN_ELSEWHERE:
        raise StepgradError(
            f"{path}: cannot write `{suffix}`; {instead}, and Graphviz makes a {suffix[1:]} from "
            f"--to dot: dot -T{suffix[1:]}"
        )
    if _SUFFIXES.get(suffix, to) != to:
        raise StepgradError(f"{path}: `{suffix}` means {_SUFFIXES[suffix]}; {instead}")
