"""`stepgrad schema`: what an editor needs to know about scenario files."""

from __future__ import annotations

import click

from stepgrad.cli.output import echo_json
from stepgrad.scenario.form.json_schema import json_schema


@click.command()
def schema() -> None:
    """Print the JSON Schema of scenario files.

    With it, an editor can complete and check them. Save it, and name it in the first line of a
    scenario. The YAML extension of VS Code, and other editors with the YAML language server, find
    it there:

    \b
      # yaml-language-server: $schema=stepgrad.schema.json

    \b
      stepgrad schema > stepgrad.schema.json
    """
    echo_json(json_schema())
