"""The JSON Schema of scenario files, by which an editor completes, explains and checks them."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from stepgrad.scenario.schema import Scenario


def json_schema() -> dict[str, Any]:
    """Return the schema of both kinds of scenario as one document.

    It knows the form of every field. What one section demands of another, and what the statements
    of a graph say, only `stepgrad check` knows.
    """
    kinds = TypeAdapter(Scenario).json_schema(
        ref_template="#/definitions/{model}", schema_generator=_Generator
    )
    return {
        "$schema": _Generator.schema_dialect,
        "title": "A scenario of stepgrad",
        "anyOf": kinds["anyOf"],
        "definitions": kinds["$defs"],
    }


class _Generator(GenerateJsonSchema):
    """Pydantic's, of the draft that every editor knows, and of what a file may say.

    In a file nothing is null: a key that has nothing to say is left out.
    """

    schema_dialect = "http://json-schema.org/draft-07/schema#"

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """Return the schema of what is not null."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Tell only defaults that a person would write."""
        described = super().default_schema(schema)
        if not isinstance(described.get("default"), str | float | bool):
            described.pop("default", None)
        return described

    def tuple_schema(self, schema: core_schema.TupleSchema) -> JsonSchemaValue:
        """Return a list of one kind of entry, for that is what all tuples are."""
        described = super().tuple_schema(schema)
        if entries := described.pop("prefixItems", None):
            described["items"] = entries[0]
        return described

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - pydantic's own
        """Let a field go by its key."""
        return False
