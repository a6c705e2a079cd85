"""The form of a manifest: what each entry is. It is checked before anything is made of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias, TypeVar, Union

from stepgrad.recording.store.packing import Damaged

_T = TypeVar("_T")

Form: TypeAlias = Union[type, "Maybe", "list[Any]", "tuple[Any, ...]", "dict[str, Any]"]
"""A type, exactly; a list of one form; a list with a form for each place; or the entries of an
object."""


class Maybe(NamedTuple):
    """A form, or null; an entry may be missing."""

    form: Form


HEAD: Form = {"format": str, "version": int, "producer": Maybe(str), "checksum": int}
"""What every version of the format has."""

_MOVES = [(int, int)]

MANIFEST: Form = {
    "title": str,
    "sources": [{"path": str, "text": str}],
    "ops": [(str, int)],
    "own": Maybe([(int, str)]),
    "places": [{"scope": str, "line": Maybe(int), "file": Maybe(str)}],
    "structures": [{"nodes": int, "outer": int}],
    "contexts": [{"names": [(int, str)], "places": _MOVES}],
    "sweeps": [{"over": [int], "links": [Maybe([int])], "root": int, "ordered": int}],
    "walks": Maybe(
        [
            {
                "over": [int],
                "links": [Maybe([int])],
                "begins": int,
                "root": int,
                "computed": int,
                "edges": int,
                "places": [int],
                "by_path": bool,
            }
        ]
    ),
    "kinds": [str],
    "writes": [
        {
            "nodes": int,
            "places": _MOVES,
            "method": Maybe(str),
            "numbers": [str],
            "columns": [str],
        }
    ],
    "marks": [str],
    "blocks": [(int, [(str, int)])],
    "numbers": [Maybe(int)],
    "labels": [(int, str)],
    "remarks": Maybe([{"kind": str, "node": Maybe(int), "place": int, "text": str}]),
    "spent": Maybe(bool),
    "world": Maybe(str),
    "pieces": [int],
}


def checked(value: Any, form: Form, name: str = "manifest") -> Any:
    """Return a value of JSON, without entries that its form does not have.

    Raises:
        Damaged: it has another form; `name` is the entry that it is in.
    """
    match form:
        case Maybe():
            return None if value is None else checked(value, form.form, name)
        case list():
            return [checked(each, form[0], name) for each in _typed(value, list, name)]
        case tuple():
            if len(_typed(value, list, name)) != len(form):
                raise Damaged(f"`{name}` has an entry of the wrong length")
            return tuple([checked(*each, name) for each in zip(value, form, strict=True)])
        case dict():
            entries = _typed(value, dict, name)
            return {key: checked(entries.get(key), form[key], key) for key in form}
        case _:
            return _typed(value, form, name)


def _typed(value: Any, type_: type, name: str) -> Any:
    if type(value) is not type_:  # in JSON, True is not a number
        raise Damaged(f"`{name}` is missing, or of the wrong type")
    return value


def pick(name: str, values: Sequence[_T], number: int) -> _T:
    """Return a value by its number.

    Raises:
        Damaged: there is none.
    """
    if not 0 <= number < len(values):
        raise Damaged(f"there is no number {number} in `{name}`")
    return values[number]
