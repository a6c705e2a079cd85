"""`stepgrad schema`: what an editor needs to know about scenario files and courses."""

from __future__ import annotations

import click

from stepgrad.cli.output import echo_json
from stepgrad.course.form import CourseForm
from stepgrad.scenario.form.json_schema import json_schema, schema_of


@click.command()
@click.option("--course", is_flag=True, help="Print that of a course.yaml.")
def schema(course: bool) -> None:
    """Print the JSON Schema of scenario files, or of the `course.yaml` of a folder.

    With it, an editor can complete and check them. Save it, and name it in the first line of a
    scenario. The YAML extension of VS Code, and other editors with the YAML language server, find
    it there:

    \b
      # yaml-language-server: $schema=stepgrad.schema.json

    \b
      stepgrad schema > stepgrad.schema.json
      stepgrad schema --course > course.schema.json
    """
    echo_json(schema_of("A stepgrad course", CourseForm) if course else json_schema())
