"""The JSON Schema of scenario files, with which an editor completes, explains and checks them."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from stepgrad.scenario.schema import Scenario


def json_schema() -> dict[str, Any]:
    """Return the schema of both kinds of scenario as one document.

    It describes the form of every field. Only `stepgrad check` knows what one section demands of
    another, and what the statements of a graph say.
    """
    kinds = TypeAdapter(Scenario).json_schema(
        ref_template="#/definitions/{model}", schema_generator=_Generator
    )
    return {
        "$schema": _Generator.schema_dialect,
        "title": "A stepgrad scenario",
        "anyOf": kinds["anyOf"],
        "definitions": kinds["$defs"],
    }


class _Generator(GenerateJsonSchema):
    """Pydantic's generator, for the draft that every editor knows and for what a file may contain.

    Nothing in a file is null: a key without a value is left out.
    """

    schema_dialect = "http://json-schema.org/draft-07/schema#"

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """Return the schema of what is not null."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Keep only defaults that a person would write."""
        described = super().default_schema(schema)
        if not isinstance(described.get("default"), str | float | bool):
            described.pop("default", None)
        return described

    def tuple_schema(self, schema: core_schema.TupleSchema) -> JsonSchemaValue:
        """Return a list of one kind of entry, as all our tuples are."""
        described = super().tuple_schema(schema)
        if entries := described.pop("prefixItems", None):
            described["items"] = entries[0]
        return described

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - pydantic's own
        """Leave titles out: a field's key says enough."""
        return False
