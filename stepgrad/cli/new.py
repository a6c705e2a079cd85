"""`stepgrad new`: a scenario to start from."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from stepgrad.atomic import write_new
from stepgrad.cli.destination import absolute
from stepgrad.cli.output import echo
from stepgrad.errors import StepgradError
from stepgrad.printable import printable
from stepgrad.scenario.template import template
from stepgrad.scenario.text import name_of


@click.command()
@click.argument("name", metavar="FILE")
@click.option("--network", is_flag=True, help="Write a network to train instead of a graph.")
@click.option("--exercise", is_flag=True, help="Write exercises about a graph, too.")
def new(name: str, *, network: bool, exercise: bool) -> None:
    """Write a scenario to start from.

    It runs as it is, and its comments say what to change.

    \b
      stepgrad new my_lesson.scenario.yaml
      stepgrad new --network my_training.scenario.yaml
      stepgrad new --exercise my_exercises.scenario.yaml
    """
    if network and exercise:
        raise click.UsageError("exercises to start from are about a graph: leave out --network")
    if not name:
        raise StepgradError("the name is empty; write one, such as my.scenario.yaml")
    file = Path(name)
    if file.suffix not in (".yaml", ".yml"):
        instead = f"{name_of(file) or 'my'}.scenario.yaml"
        raise StepgradError(f"{file}: a scenario is a .yaml file; name it {instead}")
    text = template(name_of(file), network=network, exercise=exercise)
    try:
        write_new(absolute(name), text.encode())
    except FileExistsError:
        raise StepgradError(f"{file}: already exists; choose another name") from None
    except (FileNotFoundError, NotADirectoryError):
        raise StepgradError(f"{file}: create the folder {file.parent} first") from None
    except OSError as error:
        raise StepgradError(f"{file}: cannot be written: {error.strerror or error}") from None
    except ValueError as error:
        raise StepgradError(f"{file}: cannot be written: {error}") from None
    shown = printable(shlex.quote(str(file)))
    echo(f"{file}: a scenario that runs as it is; its comments say what to change")
    width = max(len(shown), len("scenario"))
    echo(f"  stepgrad run {shown:<{width}}      step through it")
    echo(f"  stepgrad check {shown:<{width}}    check what it expects")
    if exercise:
        echo(f"  stepgrad quiz {shown:<{width}}     answer its exercises")
    echo(f"  stepgrad help {'scenario':<{width}}     everything it can contain")
