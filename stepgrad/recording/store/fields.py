"""JSON read with suspicion: a value is of the type that it should be, or `Damaged`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from stepgrad.recording.store.packing import Damaged

_T = TypeVar("_T")
_U = TypeVar("_U")


class Fields:
    """The entries of an object.

    Each method raises `Damaged` where there is nothing of the name and type that it is asked for.
    """

    def __init__(self, entries: object) -> None:
        self._entries = _typed("an entry", entries, dict)

    def get(self, name: str, type_: type[_T]) -> _T:
        """Return an entry."""
        return _typed(name, self._entries.get(name), type_)

    def count(self, name: str) -> int:
        """Return a number of things, of which there is at least one."""
        count = self.get(name, int)
        if count < 1:
            raise Damaged(f"`{name}` is {count}")
        return count

    def maybe(self, name: str, type_: type[_T]) -> _T | None:
        """Return an entry, or None where there is none."""
        return _typed_or_none(name, self._entries.get(name), type_)

    def all(self, name: str, type_: type[_T]) -> list[_T]:
        """Return a list of one type."""
        return [_typed(name, value, type_) for value in self.get(name, list)]

    def maybes(self, name: str, type_: type[_T]) -> list[_T | None]:
        """Return a list of one type, in which null is allowed."""
        return [_typed_or_none(name, value, type_) for value in self.get(name, list)]

    def objects(self, name: str) -> list[Fields]:
        """Return a list of objects."""
        return [Fields(value) for value in self.get(name, list)]

    def rows(self, name: str) -> list[list[int] | None]:
        """Return a list of lists of integers, in which null is allowed."""
        rows = (_typed_or_none(name, row, list) for row in self.get(name, list))
        return [row and [_typed(name, value, int) for value in row] for row in rows]

    def pairs(self, name: str, first: type[_T], second: type[_U]) -> list[tuple[_T, _U]]:
        """Return a list of pairs."""
        return as_pairs(name, self.get(name, list), first, second)


def as_pairs(
    name: str, values: Sequence[Any], first: type[_T], second: type[_U]
) -> list[tuple[_T, _U]]:
    """Take values for pairs of two types."""
    pairs = []
    for value in values:
        if type(value) is not list or len(value) != 2:
            raise Damaged(f"`{name}` holds something that is no pair")
        pairs.append((_typed(name, value[0], first), _typed(name, value[1], second)))
    return pairs


def pick(name: str, values: Sequence[_T], number: int) -> _T:
    """Return a value by its number."""
    if not 0 <= number < len(values):
        raise Damaged(f"there is no number {number} in `{name}`")
    return values[number]


def _typed(name: str, value: Any, type_: type[_T]) -> _T:
    # True is no number here, as it is none in JSON.
    if type(value) is not type_:
        raise Damaged(f"`{name}` is missing, or of the wrong type")
    return value


def _typed_or_none(name: str, value: Any, type_: type[_T]) -> _T | None:
    return None if value is None else _typed(name, value, type_)
