"""`stepgrad help`: help for a command, for the scenario format, or for verdicts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import fill

import click

from stepgrad import diagnosis, scenario
from stepgrad.cli.output import echo_lines
from stepgrad.errors import StepgradError, suggest

SCENARIO, VERDICTS = "scenario", "verdicts"
"""The topics that are not commands."""


@click.command(name="help")
@click.argument("topic", required=False)
@click.pass_context
def help_(ctx: click.Context, topic: str | None) -> None:
    """Explain a command, the format of scenarios, or the verdicts of a diagnosis.

    \b
      stepgrad help scenario   how to write a scenario, with examples
      stepgrad help verdicts   when each verdict is given
      stepgrad help replay
    """
    above = ctx.find_root()
    assert isinstance(above.command, click.Group)
    commands = above.command.commands
    if topic is None:
        echo_lines(above.get_help())
    elif topic == SCENARIO:
        if sys.stdout is not None and sys.stdout.isatty():
            click.echo_via_pager(scenario_format())
        else:
            echo_lines(scenario_format(), end="")
    elif topic == VERDICTS:
        echo_lines("\n\n".join(verdicts()))
    elif topic in commands:
        with click.Context(commands[topic], parent=above, info_name=topic) as about:
            echo_lines(about.get_help())
    else:
        near = suggest(topic, [SCENARIO, VERDICTS, *commands])
        raise StepgradError(f"no help on `{topic}`{near}")


def verdicts() -> Iterator[str]:
    """Yield for each verdict what it asks, and when exactly it is given."""
    for question in diagnosis.QUESTIONS:
        definition = fill(question.definition, 80, initial_indent="  ", subsequent_indent="  ")
        yield f"{question.name}: {question.asks}\n{definition}"


def scenario_format() -> str:
    """Return the description of the format, in Markdown."""
    return (Path(scenario.__file__).parent / "format.md").read_text(encoding="utf-8")
