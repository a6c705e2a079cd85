"""Columns: an entry for each event, None where it is unknown; and how to compute with them.

A function is applied to whole columns by loops in C. Only where something is unknown, or cannot be
computed, is it applied event by event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import repeat, starmap
from typing import Any, Generic, TypeVar

from stepgrad.recording.blocks import Block
from stepgrad.recording.recording import Recording

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Same:
    """A column that has the same entry for every event."""

    entry: Any


Column = Sequence[Any] | Same

UNKNOWN = Same(None)


def picked(row: Sequence[_T], places: Iterable[int]) -> list[_T]:
    """Return the entries at some places of a row."""
    return list(map(row.__getitem__, places))


def applied(function: Callable[..., Any], columns: Sequence[Column]) -> Column:
    """Apply a function to what is known; where it fails, the result is unknown."""
    if UNKNOWN in columns:
        return UNKNOWN

    def known(arguments: tuple[Any, ...]) -> Any:
        if None in arguments:
            return None
        try:
            return function(*arguments)
        except (TypeError, ArithmeticError):
            return None

    return _event_by_event(partial(starmap, function), known, columns)


def joined(columns: Iterable[Column], *, decisive: bool) -> Column:
    """Join columns by `or`, where one that holds decides, or by `and`, where one that fails does.

    Columns are taken one by one, until all events are decided.
    """
    taken = []
    for column in columns:
        if _decided(column, decisive):
            return Same(decisive)
        taken.append(column)

    def known(held: tuple[Any, ...]) -> bool | None:
        if any(each is not None and bool(each) is decisive for each in held):
            return decisive
        return None if None in held else not decisive

    return _event_by_event(partial(map, any if decisive else all), known, taken)


def _event_by_event(
    fast: Callable[[Iterable[tuple[Any, ...]]], Iterable[Any]],
    known: Callable[[tuple[Any, ...]], Any],
    columns: Sequence[Column],
) -> Column:
    """Judge each event by its entries: `fast` where all are known, else each by `known`."""
    same = tuple(column.entry for column in columns if isinstance(column, Same))
    if len(same) == len(columns):
        return Same(known(same))
    rows = [repeat(each.entry) if isinstance(each, Same) else each for each in columns]
    if not any(None in (same if isinstance(row, repeat) else row) for row in rows):
        with suppress(TypeError, ArithmeticError):
            return list(fast(zip(*rows, strict=False)))
    return list(map(known, zip(*rows, strict=False)))


def _decided(column: Column, decisive: bool) -> bool:
    """Whether a column decides all events."""
    if isinstance(column, Same):
        return column.entry is not None and bool(column.entry) is decisive
    return all(column) if decisive else not any(column) and None not in column


_B = TypeVar("_B", bound=Block)


class Facts(Generic[_B]):
    """What is known about the events of one kind in a block, in columns by name.

    `offsets` are the events, counted from the start of the block.
    """

    def __init__(self, recording: Recording, block: _B, offsets: Sequence[int]) -> None:
        self.offsets = offsets
        self._recording = recording
        self._block = block

    def __getitem__(self, name: str) -> Column:
        if name == "position":
            return [self._block.start + offset + 1 for offset in self.offsets]
        return self._wrong if name == "wrong" else self._column(name)

    @property
    def _wrong(self) -> Column:
        """Where a rule of the program's own has passed on a wrong number: only there is one."""
        return Same(False)

    def _column(self, name: str) -> Column:
        """Return a column; unknown, unless the events have something of this name."""
        raise NotImplementedError
