"""`stepgrad help`: help for a command, or a page on a topic."""

from __future__ import annotations

import sys
from shutil import get_terminal_size
from typing import TYPE_CHECKING

import click

from stepgrad import pages
from stepgrad.cli.output import echo_lines, wrapped
from stepgrad.errors import StepgradError, suggest

if TYPE_CHECKING:
    from textual.content import Content

WIDEST = 100
"""The most columns of a page: longer lines are hard to read."""


@click.command(name="help")
@click.argument("topic", required=False)
@click.pass_context
def help_(ctx: click.Context, topic: str | None) -> None:
    """Explain a command, or a topic.

    In a terminal, a page is laid out and opens in a pager; elsewhere, it is Markdown.

    \b
      stepgrad help
      stepgrad help tour       once around, in ten minutes
      stepgrad help scenario   how to write a scenario, with examples
      stepgrad help replay
    """
    above = ctx.find_root()
    assert isinstance(above.command, click.Group)
    commands = above.command.commands
    if topic is None:
        echo_lines(above.get_help())
    elif topic in pages.TOPICS:
        _show(pages.page(topic))
    elif topic in commands:
        with click.Context(commands[topic], parent=above, info_name=topic) as about:
            echo_lines(about.get_help())
    else:
        near = suggest(topic, [*pages.TOPICS, *commands])
        topics = f"the topics are {', '.join(pages.TOPICS)}; stepgrad --help lists the commands"
        raise StepgradError(f"no help on `{topic}`{near}", *wrapped(f"  {topics}"))


def _show(markdown: str) -> None:
    """Print a page; in a terminal, laid out for it, and in a pager."""
    if sys.stdout is None or not sys.stdout.isatty():
        echo_lines(markdown, end="")
        return
    click.echo_via_pager(laid_out(markdown, min(get_terminal_size().columns, WIDEST)))


def laid_out(markdown: str, width: int) -> str:
    """Return a page as text of a width, with the codes of a terminal for bold and italic."""
    from stepgrad.tui.render.lesson import lesson  # noqa: PLC0415 - Textual takes a while

    return "".join(f"{_styled(line)}\n" for line in lesson(markdown, width))


def _styled(line: Content) -> str:
    """Return a line with its bold and italic parts; colours would need to know the terminal."""
    text, parts, at = line.plain, [], 0
    for span in sorted(line.spans):
        start, end = max(span.start, at), max(span.end, at)
        parts += [text[at:start], click.style(text[start:end], **_looks(str(span.style)))]
        at = end
    return "".join([*parts, text[at:]])


def _looks(style: str) -> dict[str, bool]:
    words = style.split()
    return {word: True for word in ("bold", "italic") if word in words} if words else {}
