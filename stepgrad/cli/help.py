"""`stepgrad help`: help for a command, or the scenario format."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from stepgrad import scenario
from stepgrad.cli.output import echo_lines
from stepgrad.errors import StepgradError, suggest

SCENARIO = "scenario"
"""The one topic that is not a command."""


@click.command(name="help")
@click.argument("topic", required=False)
@click.pass_context
def help_(ctx: click.Context, topic: str | None) -> None:
    """Explain a command, or the format of scenarios.

    \b
      stepgrad help scenario   how to write a scenario, with examples
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
    elif topic in commands:
        with click.Context(commands[topic], parent=above, info_name=topic) as about:
            echo_lines(about.get_help())
    else:
        near = suggest(topic, [SCENARIO, *commands])
        raise StepgradError(f"no help on `{topic}`{near}")


def scenario_format() -> str:
    """Return the description of the format, in Markdown."""
    return (Path(scenario.__file__).parent / "format.md").read_text(encoding="utf-8")
