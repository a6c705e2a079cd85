"""What the annotation of a field says: a type, and what `Annotated` adds to it.

Types are bool, int, float, str, `Literal`, tuple for a list, `Mapping`, and the kinds of `Section`.
Added are checks, which are functions that return what is wrong with a value, or ""; and the marks
below.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from inspect import get_annotations
from math import isfinite
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
)

from stepgrad.errors import suggest_or_list
from stepgrad.scenario.yaml.document import Data


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Section:
    """A mapping whose keys are fixed: each is a field, which has its default if it is left out.

    A dataclass would be the same, but takes ten times as long to define.
    """

    def __init__(self, **given: Any) -> None:
        vars(self).update(given)


class Called(NamedTuple):
    """What messages call a value, instead of by its type; `hint` is for a mapping in its place."""

    wanted: str
    hint: str = ""


class Also(NamedTuple):
    """Another word for one of a `Literal`; messages do not list it."""

    word: str
    meaning: str


BARE = object()
"""Marks a list in which a single entry can be written without brackets."""


class Limits:
    """A check of bounds or lengths, which are named as in JSON Schema."""

    def __init__(self, **limits: float) -> None:
        self.limits = limits

    def __call__(self, value: Any) -> str:
        """Return what is wrong with a value, or ""."""
        for name, limit in self.limits.items():
            holds, message = _LIMITS[name]
            if not holds(value, limit):
                return message(limit)
        return ""


class OneOf:
    """A check that a text is one of some words, which are asked for when it is checked.

    Args:
        what: what messages call a word.
        words: returns the words.
    """

    def __init__(self, what: str, words: Callable[[], Sequence[str]]) -> None:
        self.words = words
        self._what = what

    def __call__(self, value: Any) -> str:
        """Return what is wrong with a text, or ""."""
        words = self.words()
        if value in words:
            return ""
        return f"unknown {self._what} `{value}`{suggest_or_list(value, words)}"


def finite(number: float) -> str:
    """Return what is wrong with a number, or "" if it is finite."""
    return "" if isfinite(number) else "must be a finite number"


class Kind(NamedTuple):
    """An annotation, taken apart: a type, its arguments, and what is added."""

    type: Any
    arguments: tuple[Any, ...]
    added: tuple[Any, ...]

    def takes(self, value: Data) -> bool:
        """Whether `value` is of the type; to Python, `true` is a number, but not here."""
        if self.type is tuple:
            return isinstance(value, tuple) or (BARE in self.added and not isinstance(value, dict))
        if self.type is Literal:
            return isinstance(value, str) and value in self.words
        if isinstance(value, bool):
            return self.type is bool
        return isinstance(value, _TYPES.get(self.type, dict))

    @property
    def wanted(self) -> str:
        """What messages call it."""
        if self.called:
            return self.called.wanted
        if self.type is Literal:
            *most, last = (f"`{word}`" for word in self.arguments)
            return f"{', '.join(most)} or {last}"
        return _WANTED.get(self.type, _MAPPING)

    @property
    def called(self) -> Called | None:
        """What messages call it instead of its type."""
        return next((mark for mark in self.added if isinstance(mark, Called)), None)

    @property
    def checks(self) -> tuple[Callable[[Any], str], ...]:
        """What a value of the type still has to pass."""
        return tuple(filter(callable, self.added))

    @property
    def words(self) -> dict[str, str]:
        """What can be written for a `Literal`, and what it means."""
        others = {mark.word: mark.meaning for mark in self.added if isinstance(mark, Also)}
        return {word: word for word in self.arguments} | others

    @property
    def size(self) -> int | None:
        """The number of entries in a list, if it is fixed."""
        fixed = self.type is tuple and ... not in self.arguments
        return len(self.arguments) if fixed else None


@cache
def kind_of(annotation: Any) -> Kind:
    """Return what an annotation says; nothing in a file is None."""
    if get_origin(annotation) in (Union, UnionType):
        annotation = next(each for each in get_args(annotation) if each is not NoneType)
    added: list[Any] = []
    if get_origin(annotation) is Annotated:
        annotation, *added = get_args(annotation)
    return Kind(get_origin(annotation) or annotation, get_args(annotation), tuple(added))


def fields_of(section: type[Section]) -> dict[str, Any]:
    """Return the annotations of the fields of a section, by their keys."""
    bases = reversed(section.__mro__[:-1])
    return {key: each for base in bases for key, each in get_annotations(base).items()}


def is_required(section: type[Section], key: str) -> bool:
    """Whether a file must give this field: it has no default."""
    return not hasattr(section, key)


_TYPES: dict[Any, tuple[type, ...]] = {bool: (bool,), int: (int,), float: (int, float), str: (str,)}
_MAPPING = "a mapping (`{…}`, or a line with `key: value` for each entry)"
_WANTED = {
    bool: "`true` or `false`",
    int: "a whole number",
    float: "a number",
    str: "text",
    tuple: "a list (`[…]`, or a line with `- ` for each entry)",
}
_LIMITS: dict[str, tuple[Callable[[Any, float], bool], Callable[[float], str]]] = {
    "minimum": (lambda number, least: number >= least, "must be at least {:,.15g}".format),
    "maximum": (lambda number, most: number <= most, "must be at most {:,.15g}".format),
    "exclusiveMinimum": (lambda number, low: number > low, "must be greater than {:,.15g}".format),
    "exclusiveMaximum": (lambda number, high: number < high, "must be less than {:,.15g}".format),
    "minLength": (lambda text, least: len(text) >= least, "must not be empty".format),
    "minItems": (
        lambda entries, least: len(entries) >= least,
        lambda least: f"needs {least} entries or more" if least > 1 else "must not be empty",
    ),
    "maxItems": (
        lambda entries, most: len(entries) <= most,
        "must not have more than {:,} entries".format,
    ),
}
