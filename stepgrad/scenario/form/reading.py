"""Reading the form of a document: the sections in it, and everything that is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar

from stepgrad.errors import suggest_or_list
from stepgrad.scenario.form.kinds import Kind, Limits, Section, fields_of, is_required, kind_of
from stepgrad.scenario.form.words import meant_by, number_meant, other_name
from stepgrad.scenario.text import Problems
from stepgrad.scenario.yaml.document import Data, Document, Key, Path

_Section = TypeVar("_Section", bound=Section)

_LONGEST = 40  # the most characters of a value in a message


class Reading:
    """One reading of a document; a place where the YAML has a problem is not mentioned again."""

    def __init__(self, document: Document, problems: Problems) -> None:
        self.document = document
        self.data = document.data if isinstance(document.data, dict) else {}
        self._problems = problems
        self._settled = problems.places
        self._sound: dict[Path, Section] = {}
        self._meant: set[Path] = set()  # keys that are there, but misspelt

    def section(self, model: type[_Section], *path: Key) -> _Section | None:
        """Return the section at `path` if it is valid, not counting keys that it does not have.

        This way, the rules between sections apply even if there are mistakes elsewhere in the file.
        """
        found = self._sound.get(path)
        return found if isinstance(found, model) else None

    def lacks(self, *path: str) -> bool:
        """Whether the file has no such key, not even a misspelt one."""
        return path not in self.document.places and path not in self._meant

    def read(self, annotation: Any, value: Data, at: Path) -> Any:
        """Return what the value at a path says, or None after noting what is wrong with it."""
        kind = kind_of(annotation)
        if not kind.takes(value):
            return self._mismatch(kind, value, at)
        if kind.type is tuple and not isinstance(value, tuple):
            value = (value,)
        read = self._parts(kind, value, at)
        for check in kind.checks:
            checked = value if isinstance(check, Limits) else read  # an entry may be invalid
            if checked is not None and (message := check(checked)):
                return self._note(at, message)
        return read

    def _parts(self, kind: Kind, value: Any, at: Path) -> Any:
        """Read what a value of the right type consists of."""
        if isinstance(kind.type, type) and issubclass(kind.type, Section):
            return self._section(kind.type, value, at)
        if kind.type is tuple:
            return self._list(kind, value, at)
        if kind.type is Mapping:
            return self._mapping(kind, value, at)
        return kind.words[value] if kind.type is Literal else kind.type(value)

    def _section(self, model: type[Section], value: dict[Key, Data], at: Path) -> Any:
        fields = fields_of(model)
        for key in value:
            if key not in fields:
                self._unknown((*at, key), list(fields), _elsewhere(model, key))
        read = {
            key: self._field(annotation, value, (*at, key))
            for key, annotation in fields.items()
            if key in value or is_required(model, key)
        }
        if any(each is None for each in read.values()):
            return None
        self._sound[at] = model(**read)
        return self._sound[at]

    def _field(self, annotation: Any, section: dict[Key, Data], at: Path) -> Any:
        key = at[-1]
        if key not in section:
            missing = at not in self._meant
            return self._note(at[:-1], f"`{key}` is missing") if missing else None
        if section[key] is None:
            return self._note(at, f"`{key}` has no value: write one, or remove the line")
        return self.read(annotation, section[key], at)

    def _unknown(self, at: Path, fields: list[str], elsewhere: str) -> None:
        key = str(at[-1])
        if elsewhere and not other_name(key, fields):
            return self._note_key(at, f"unknown key `{key}`; it is for a {elsewhere}")
        if near := meant_by(key, fields):
            self._meant.add((*at[:-1], near))
        hint = suggest_or_list(near or key, fields)
        return self._note_key(at, f"unknown key `{key}`{hint}")

    def _list(self, kind: Kind, value: tuple[Data, ...], at: Path) -> tuple[Any, ...] | None:
        entry = kind_of(kind.arguments[0])
        flat = [n for n, each in enumerate(value) if entry.type is tuple and not entry.takes(each)]
        told = {*flat[1:]}  # a list of numbers instead of rows is one mistake
        read = tuple(
            None if number in told else self.read(kind.arguments[0], each, (*at, number))
            for number, each in enumerate(value)
        )
        size = len(value) if kind.size is None else kind.size
        for number in range(len(value), size):
            self._note(at, f"entry {number + 1} is missing")
        if message := Limits(maxItems=size)(value):
            self._note(at, message)
        return read if len(value) == size and None not in read else None

    def _mapping(self, kind: Kind, value: dict[Key, Data], at: Path) -> dict[Any, Any] | None:
        keys, entry = kind_of(kind.arguments[0]), kind.arguments[1]
        wrong = [
            key for key in value if not keys.takes(key) or any(check(key) for check in keys.checks)
        ]
        for key in wrong:
            found = f"the {'text' if isinstance(key, str) else 'number'} `{key}`"
            self._note_key((*at, key), f"expected {keys.wanted}, not {found}")
        read = {key: self.read(entry, each, (*at, key)) for key, each in value.items()}
        return None if wrong or None in read.values() else read

    def _mismatch(self, kind: Kind, value: Data, at: Path) -> None:
        if value is None:
            return self._note(at, f"{kind.wanted} is missing")
        found, hint = described(self.document, value, at), _hint(kind, value)
        return self._note(at, f"expected {kind.wanted}, not {found}{hint}")

    def _note(self, at: Path, message: str) -> None:
        self._add(self.document.index(at), message)

    def _note_key(self, at: Path, message: str) -> None:
        self._add(self.document.key_index(at), message)

    def _add(self, index: int, message: str) -> None:
        if index not in self._settled:
            self._problems.add(index, message)


def _elsewhere(model: type[Section], key: Key) -> str:
    """Return the kind of scenario that has a key in this section, if it is the other kind."""
    (base,) = model.__bases__
    others: Sequence[type[Section]] = () if base is Section else base.__subclasses__()
    names = (each.__name__ for each in others if key in fields_of(each))
    return next((re.split(r"(?<=[a-z])(?=[A-Z])", name)[0].lower() for name in names), "")


def described(document: Document, value: Data, at: Path) -> str:
    """Return what to call the value at a path; a scalar is called as it is written."""
    if value is None or isinstance(value, tuple | dict):
        return _CALLED[type(value)]
    while at not in document.places:  # a row of one number, without brackets
        at = at[:-1]
    written = " ".join(document.snippet(at).split())
    if len(written) > _LONGEST:
        written = f"{written[: _LONGEST - 1]}…"
    if not isinstance(value, str):
        return f"`{written}`" if isinstance(value, bool) else f"the number `{written}`"
    return f"the text {written}" if document.places[at].style else f"the text `{written}`"


_CALLED: dict[type, str] = {type(None): "nothing", tuple: "a list", dict: "a mapping"}


def _hint(kind: Kind, value: Data) -> str:
    """Return how to turn the value that was found into the one that was wanted, if it is easy."""
    if kind.called:
        return kind.called.hint if isinstance(value, dict) else ""
    if isinstance(value, str) and kind.type is Literal:
        near = meant_by(value, kind.arguments)
        return f"; did you mean `{near}`?" if near else ""
    if isinstance(value, str) and kind.type in (int, float):
        return number_meant(value)
    return "; put it in quotes" if kind.type is str and isinstance(value, int | float) else ""
