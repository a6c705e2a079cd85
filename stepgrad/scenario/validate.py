"""Checking a document against the schema, with our own messages and places for the findings."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from stepgrad.errors import nearest, suggest_or_list
from stepgrad.scenario.compose import is_number
from stepgrad.scenario.document import Data, Document, Path
from stepgrad.scenario.schema import GraphScenario, NetworkScenario, Scenario, Section
from stepgrad.scenario.source import Problems

_KINDS: dict[str, type[Scenario]] = {"graph": GraphScenario, "network": NetworkScenario}
_AnySection = TypeVar("_AnySection", bound=Section)


def scenario_kind(document: Document, problems: Problems) -> type[Scenario] | None:
    """Return the kind of scenario in `document`, by its keys, or None after noting a problem."""
    data = document.data
    if not isinstance(data, dict):
        found = _described(document, (), data)
        problems.add(document.index(()), f"expected a mapping such as `title: …`, not {found}")
        return None
    kinds = [key for key in data if key in _KINDS]
    if len(kinds) == 1:
        return _KINDS[kinds[0]]
    if kinds:
        message = "a scenario has either `graph` or `network`, not both"
        problems.add(document.key_index((kinds[1],)), message)
        return None
    for kind in _KINDS:
        if near := nearest(kind, (key for key in data if isinstance(key, str))):
            message = f"unknown key `{near}`; did you mean `{kind}`?"
            problems.add(document.key_index((near,)), message)
            return None
    problems.add(document.index(()), "a scenario needs `graph` or `network`")
    return None


def validate(document: Document, kind: type[Scenario], problems: Problems) -> Scenario | None:
    """Return the scenario in `document`, or None after noting everything that is wrong with it."""
    try:
        return kind.model_validate(document.data)
    except ValidationError as error:
        _Report(document, kind, problems).add_all(error.errors(include_url=False))
        return None


def sound(model: type[_AnySection], data: Data) -> _AnySection | None:
    """Return `data` as a section by itself, without unknown keys; None if it is not valid.

    This way, the rules between sections apply even if there are mistakes elsewhere in the file.
    """
    if not isinstance(data, dict):
        return None
    known = {key: value for key, value in data.items() if key in model.model_fields}
    try:
        return model.model_validate(known)
    except ValidationError:
        return None


def _fields(model: type[Section], path: Path) -> list[str]:
    """Return the keys that the section at `path` may have."""
    for key in path:
        annotation = model.model_fields[str(key)].annotation
        model = next(
            candidate
            for candidate in (annotation, *get_args(annotation))
            if isinstance(candidate, type) and issubclass(candidate, Section)
        )
    return list(model.model_fields)


def _described(document: Document, path: Path, value: object) -> str:
    """Return a description of the value at `path` for a message."""
    if value is None:
        return "nothing"
    if isinstance(value, tuple):
        return "a list"
    if isinstance(value, dict):
        return "a mapping"
    written = " ".join(document.snippet(path).split())
    if len(written) > 40:
        written = f"{written[:39]}…"
    if not isinstance(value, str):
        return f"`{written}`" if isinstance(value, bool) else f"the number `{written}`"
    return f"the text {written}" if document.places[path].style else f"the text `{written}`"


class _Report:
    """Turns pydantic's errors about one document into located problems."""

    def __init__(self, document: Document, model: type[Scenario], problems: Problems) -> None:
        self._document = document
        self._model = model
        self._problems = problems
        self._settled = problems.places
        self._meant: set[Path] = set()

    def add_all(self, errors: list[ErrorDetails]) -> None:
        """Note every error, except for what a misspelt key or the YAML itself explains."""
        for error in errors:
            if error["type"] in ("extra_forbidden", "invalid_key"):
                self._unknown_key(error["loc"])
        listed = set()
        for error in errors:
            if error["type"] == "tuple_type" and isinstance(error["loc"][-1], int):
                if error["loc"][:-1] in listed:
                    continue  # a list of numbers instead of rows is one mistake
                listed.add(error["loc"][:-1])
            if error["type"] == "missing":
                self._missing(error["loc"])
            elif error["loc"] and error["loc"][-1] == "[key]":
                self._key(error)
            elif error["type"] not in ("extra_forbidden", "invalid_key") and not _is_echo(error):
                self._value(error)

    def _unknown_key(self, path: Path) -> None:
        fields = _fields(self._model, path[:-1])
        key = str(path[-1])
        if near := _nearest(key, fields):
            self._meant.add((*path[:-1], near))
        hint = suggest_or_list(near or key, fields)
        self._add(self._document.key_index(path), f"unknown key `{key}`{hint}")

    def _missing(self, path: Path) -> None:
        *around, key = path
        if isinstance(key, int):
            self._add(self._document.index(path), f"entry {key + 1} is missing")
        elif path not in self._meant:
            self._add(self._document.index(tuple(around)), f"`{key}` is missing")

    def _key(self, error: ErrorDetails) -> None:
        path = error["loc"][:-1]
        found = f"the {'text' if isinstance(path[-1], str) else 'number'} `{path[-1]}`"
        wanted = "a name" if error["type"] == "string_type" else "a step (a whole number from 0)"
        self._add(self._document.key_index(path), f"expected {wanted}, not {found}")

    def _value(self, error: ErrorDetails) -> None:
        path = error["loc"]
        while path not in self._document.places:  # a row of one number, without brackets
            path = path[:-1]
        kind, value, limits = error["type"], error["input"], error.get("ctx", {})
        if kind in _WANTED:
            message = self._mismatch(path, value, _WANTED[kind], self._hint(kind, path, value))
        elif kind == "literal_error":
            choices = re.findall("'([^']*)'", limits["expected"])
            near = _nearest(value, choices) if isinstance(value, str) else None
            hint = f"; did you mean `{near}`?" if near else ""
            message = self._mismatch(path, value, _one_of(choices), hint)
        elif kind == "nothing_given":
            message = f"`{path[-1]}` has no value: write one, or remove the line"
        else:
            template = _LIMITS.get(kind)
            message = template(limits) if template else "is not allowed here"
        self._add(self._document.index(path), message)

    def _mismatch(self, path: Path, value: object, wanted: str, hint: str) -> str:
        if path[0] == "graph":
            wanted = "a statement such as `c = a + b`"
            wanted = wanted if len(path) > 1 else f"a list with {wanted} after each `- `"
        if value is None:
            return f"{wanted} is missing"
        return f"expected {wanted}, not {_described(self._document, path, value)}{hint}"

    def _hint(self, kind: str, path: Path, value: object) -> str:
        """Say how to turn the value that was found into the one that was wanted, if it is easy."""
        if path[0] == "graph":
            return "; write `=` instead of `: `" if isinstance(value, dict) else ""
        if kind == "string_type" and isinstance(value, int | float):
            return "; put it in quotes"
        if kind in ("float_type", "int_type") and isinstance(value, str):
            return "; remove the quotes" if is_number(value) else _number_meant(value)
        return ""

    def _add(self, index: int, message: str) -> None:
        if index not in self._settled:
            self._problems.add(index, message)


def _nearest(word: str, choices: list[str]) -> str | None:
    """Return the choice that was probably meant, by its other names or by how it is spelt."""
    other = _SYNONYMS.get(word.lower())
    return other if other in choices else nearest(word, choices)


def _one_of(choices: list[str]) -> str:
    *most, last = (f"`{choice}`" for choice in choices)
    return f"{', '.join(most)} or {last}" if most else last


def _number_meant(text: str) -> str:
    """Say how to write what was probably meant as a number."""
    for pattern, hint in _NUMBERS_MEANT.items():
        if found := re.fullmatch(pattern, text, re.IGNORECASE):
            return f"; {found.expand(hint)}"
    return ""


def _is_echo(error: ErrorDetails) -> bool:
    """Whether a list counts as too short only because its entries have errors of their own."""
    return error["type"] == "too_short" and len(error["input"]) >= error["ctx"]["min_length"]


_WANTED = {
    "bool_type": "`true` or `false`",
    "dict_type": "a mapping (`{…}`, or a line with `key: value` for each entry)",
    "float_type": "a number",
    "int_from_float": "a whole number",
    "int_type": "a whole number",
    "model_type": "a mapping (`{…}`, or a line with `key: value` for each entry)",
    "string_type": "text",
    "tuple_type": "a list (`[…]`, or a line with `- ` for each entry)",
}

_NUMBERS_MEANT = {
    r"([-+]?)(?:inf|infinity|∞)": r"write `\1.inf`",
    r"nan": "write `.nan`",
    r"([-+]?\d+),(\d+(?:e[-+]?\d+)?)": r"write `\1.\2`, with a decimal point",
    r"[−–](.*)": r"write `-\1`, with the minus sign of your keyboard",
    r"(.*)%": "write a percentage as a decimal, such as 0.05",
    r".*\d\s*[-+*/^(].*": "only a number is allowed here: compute in `graph`",
}

_SYNONYMS = {
    "mse": "mean_squared_error",
    "sse": "sum_squared_error",
    "bce": "binary_cross_entropy",
    "ce": "softmax_cross_entropy",
    "cross_entropy": "softmax_cross_entropy",
    "none": "linear",
    "logistic": "sigmoid",
    "gd": "sgd",
    "easy": "beginner",
    "hard": "advanced",
    "lr": "learning_rate",
    "epochs": "steps",
    "name": "title",
}
"""Other names of losses, activations, optimizers, levels and keys."""

_LIMITS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "ours": lambda said: str(said["message"]),
    "finite_number": lambda _: "must be a finite number",
    "greater_than": lambda limits: f"must be greater than {limits['gt']:,}",
    "greater_than_equal": lambda limits: f"must be at least {limits['ge']:,}",
    "less_than": lambda limits: f"must be less than {limits['lt']:,}",
    "less_than_equal": lambda limits: f"must be at most {limits['le']:,}",
    "string_too_short": lambda _: "must not be empty",
    "too_long": lambda limits: f"must not have more than {limits['max_length']:,} entries",
    "too_short": lambda limits: (
        f"needs {limits['min_length']} entries or more"
        if limits["min_length"] > 1
        else "must not be empty"
    ),
}
