"""`stepgrad new`: a scenario to begin with."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from stepgrad.errors import StepgradError
from stepgrad.scenario.source import name_of
from stepgrad.scenario.template import template


@click.command()
@click.argument("name", metavar="FILE")
@click.option("--network", is_flag=True, help="A network that is trained, instead of a graph.")
def new(name: str, network: bool) -> None:
    """Write a scenario to begin with: it runs as it is, and comments say what to change.

    \b
      stepgrad new my_lesson.scenario.yaml
      stepgrad new --network my_training.scenario.yaml
    """
    file = Path(name)
    if file.suffix not in (".yaml", ".yml"):
        instead = f"{name_of(file) or 'my'}.scenario.yaml"
        raise StepgradError(f"{file}: a scenario is a .yaml file; name it {instead}")
    text = template(name_of(file), network=network)
    try:
        with file.open("x", encoding="utf-8") as made:
            made.write(text)
    except FileExistsError:
        raise StepgradError(f"{file}: is there already; choose another name") from None
    except (FileNotFoundError, NotADirectoryError):
        raise StepgradError(f"{file}: there is no folder {file.parent}; make it first") from None
    except OSError as error:
        raise StepgradError(f"{file}: cannot be written: {error.strerror or error}") from None
    except ValueError as error:
        raise StepgradError(f"{str(file)!r}: cannot be written: {error}") from None
    shown = shlex.quote(str(file))
    click.echo(f"{file}: a scenario that runs as it is. Now change it.")
    width = len(shown)
    click.echo(f"  stepgrad run {shown}      step through it")
    click.echo(f"  stepgrad check {shown}    hold it against what it expects")
    click.echo(f"  stepgrad help {'scenario':<{width}}     all that can stand in it")
