"""Columns of numbers that are unpacked when they are looked at."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import overload

from stepgrad.recording.store.packing import (
    Damaged,
    check_room,
    passes_in_piece,
    unpack,
    unpack_place,
)


class Unpacker:
    """Unpacks columns of a recording when they are looked at, and keeps the latest ones.

    `kept` pieces stay unpacked. `blame` makes an error of what is wrong with one.
    """

    def __init__(self, kept: int, blame: Callable[[Damaged], Exception]) -> None:
        self.columns = lru_cache(maxsize=kept)(self._columns)
        self._blame = blame

    def _columns(self, stream: Stream, piece: int) -> Sequence[array[float]]:
        with self._blaming():
            return stream.unpack(piece)

    def place(self, stream: Stream, piece: int, place: int) -> Sequence[float]:
        """Return one entry of each column in a piece."""
        with self._blaming():
            return stream.unpack_place(piece, place)

    @contextmanager
    def _blaming(self) -> Iterator[None]:
        try:
            yield
        except Damaged as error:
            raise self._blame(error) from error


class Stream:
    """The columns of all passes of one shape, in the order of the passes.

    Following one number through training needs one entry of each piece: it alone is unpacked first,
    and the rest when it is needed.

    Raises:
        Damaged: the pieces cannot hold this many columns of this many numbers.
    """

    def __init__(
        self, pieces: Sequence[memoryview], count: int, width: int, unpacker: Unpacker
    ) -> None:
        self.width = width
        self._pieces = pieces
        self._count = count
        self._in_piece = passes_in_piece(width)
        self._unpacker = unpacker
        self._places: dict[int, tuple[int, Sequence[float]]] = {}
        for number, piece in enumerate(pieces):
            check_room(piece, self._count_in(number), width)

    def columns(self) -> Iterator[Packed]:
        """Yield the columns, still packed."""
        return (Packed(self, number, 0, self.width) for number in range(self._count))

    def column(self, number: int) -> array[float]:
        """Return the column of a pass."""
        piece, row = divmod(number, self._in_piece)
        return self._unpacker.columns(self, piece)[row]

    def number(self, number: int, place: int) -> float:
        """Return an entry of the column of a pass."""
        piece, row = divmod(number, self._in_piece)
        if piece not in self._places:
            self._places[piece] = place, self._unpacker.place(self, piece, place)
        first, numbers = self._places[piece]
        return numbers[row] if place == first else self.column(number)[place]

    def unpack(self, piece: int) -> list[array[float]]:
        """Return the columns in a piece.

        Raises:
            Damaged: it holds something else.
        """
        return unpack(self._pieces[piece], "d", self._count_in(piece), self.width)

    def unpack_place(self, piece: int, place: int) -> array[float]:
        """Return one entry of each column in a piece.

        Raises:
            Damaged: it holds something else.
        """
        return unpack_place(self._pieces[piece], "d", self._count_in(piece), self.width, place)

    def _count_in(self, piece: int) -> int:
        return min(self._in_piece, self._count - piece * self._in_piece)


class Packed(Sequence[float]):
    """A column, or a part of one, that is unpacked when a number of it is asked for."""

    __slots__ = ("_begin", "_end", "_number", "_stream")

    def __init__(self, stream: Stream, number: int, begin: int, end: int) -> None:
        self._stream = stream
        self._number = number
        self._begin = begin
        self._end = end

    def part(self, begin: int, end: int) -> Packed:
        """Return a part of it."""
        return Packed(self._stream, self._number, self._begin + begin, self._begin + end)

    def __len__(self) -> int:
        return self._end - self._begin

    @overload
    def __getitem__(self, index: int) -> float: ...
    @overload
    def __getitem__(self, index: slice) -> array[float]: ...
    def __getitem__(self, index: int | slice) -> float | array[float]:
        if isinstance(index, slice):
            return self._stream.column(self._number)[self._begin : self._end][index]
        return self._stream.number(self._number, range(self._begin, self._end)[index])

    def __iter__(self) -> Iterator[float]:
        return iter(self[:])


class Named(Mapping[str, float]):
    """Numbers by name; they are unpacked when one is asked for."""

    __slots__ = ("_names", "_numbers")

    def __init__(self, names: Sequence[str], numbers: Sequence[float]) -> None:
        self._names = names
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __getitem__(self, name: str) -> float:
        if name not in self._names:
            raise KeyError(name)
        return self._numbers[self._names.index(name)]
