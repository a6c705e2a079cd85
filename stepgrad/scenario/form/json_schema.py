"""The JSON Schema of files that have a form, with which an editor completes and checks them."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from inspect import cleandoc, getdoc, getsource
from itertools import pairwise
from typing import Any, Literal, TypeAlias, get_args

from stepgrad.scenario.form.kinds import (
    BARE,
    Limits,
    OneOf,
    Section,
    fields_of,
    is_required,
    kind_of,
)
from stepgrad.scenario.form.sections import Scenario

Schema: TypeAlias = dict[str, Any]

_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}


def json_schema() -> Schema:
    """Return the schema of both kinds of scenario as one document.

    It describes the form of every field. Only `stepgrad check` knows what one section demands of
    another, and what the statements of a graph say.
    """
    return schema_of("A stepgrad scenario", *get_args(Scenario))


def schema_of(title: str, *forms: type[Section]) -> Schema:
    """Return the schema of documents that have one of some forms."""
    definitions: dict[str, Schema] = {}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",  # the draft that every editor knows
        "title": title,
        "anyOf": [_schema(form, definitions) for form in forms],
        "definitions": definitions,
    }


def _schema(annotation: Any, definitions: dict[str, Schema]) -> Schema:
    """Return the schema of a value; those of sections go to `definitions`."""
    kind = kind_of(annotation)
    if isinstance(kind.type, type) and issubclass(kind.type, Section):
        return {"$ref": f"#/definitions/{_define(kind.type, definitions)}"}
    if kind.type is Literal:
        return {"type": "string", "enum": list(kind.words)}
    schema: Schema = {"type": _TYPES.get(kind.type, "object")}
    if kind.type is Mapping:
        schema |= {"additionalProperties": _schema(kind.arguments[1], definitions)}
        if kind_of(kind.arguments[0]).type is int:  # every key is a text in JSON
            schema["propertyNames"] = {"pattern": "^[0-9]+$"}
    if kind.type is tuple:
        schema = {"type": "array", "items": _schema(kind.arguments[0], definitions)}
        if kind.size is not None:
            schema |= {"minItems": kind.size, "maxItems": kind.size}
    for mark in kind.added:
        if isinstance(mark, Limits):
            schema |= mark.limits
        elif isinstance(mark, OneOf):
            schema["enum"] = list(mark.words())
    return {"anyOf": [schema["items"], schema]} if BARE in kind.added else schema


def _define(section: type[Section], definitions: dict[str, Schema]) -> str:
    """Add the schema of a section to `definitions`; return its name there."""
    texts = _texts(section)
    properties: dict[str, Schema] = {}
    for key, annotation in fields_of(section).items():
        properties[key] = _schema(annotation, definitions) | {"description": texts[key]}
        default = getattr(section, key, None)
        if isinstance(default, str | float | bool):  # what a person would write
            properties[key]["default"] = default
    definitions[section.__name__] = {
        "title": section.__name__,
        "description": getdoc(section),
        "type": "object",
        "properties": properties,
        "required": [key for key in properties if is_required(section, key)],
        "additionalProperties": False,
    }
    return section.__name__


def _texts(section: type[Section]) -> dict[str, str]:
    """Return the text below each field; Python does not keep it, but the source has it."""
    texts: dict[str, str] = {}
    for base in reversed(section.__mro__[:-1]):
        [body] = ast.parse(getsource(base)).body
        assert isinstance(body, ast.ClassDef)
        for field, text in pairwise(body.body):
            match field, text:
                case (
                    ast.AnnAssign(target=ast.Name(id=key)),
                    ast.Expr(value=ast.Constant(value=str(written))),
                ):
                    texts[key] = cleandoc(written)
    return texts
