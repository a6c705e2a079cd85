"""Columns of numbers as they stand in a file: small, and unpacked when somebody looks at them.

Training changes numbers smoothly: what stands at one place of a column changes from pass to pass
almost as it changed before. So what is kept of a pass is not its numbers but their differences of
some order from the passes before it, computed on the 64 bits of each as on an integer, which loses
nothing. Where samples take turns, that is the latest pass of the same sample, some passes before.
Small differences have many zero bytes, and zlib finds them where bytes of the same weight stand
together.

All arithmetic is on whole columns at once: a column is one long integer of 64-bit lanes.
"""

from __future__ import annotations

import struct
import sys
import zlib
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import accumulate
from typing import Any, overload

_WIDTH = 8  # bytes of a number
_LANE = (1 << 64) - 1
_MOST_PASSES, _MOST_NUMBERS = 256, 1 << 16
_DENSEST = 1040  # deflate says at most 258 bytes in two bits, and a few more at its ends
_WORTHWHILE = 0.97
_LAGS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 32)
_LOOKED_AT = 96  # columns of a piece, and numbers of each, to see which lag it has


class Damaged(ValueError):  # noqa: N818 - what the file is
    """A file says what cannot be; the message says what."""


class _Lanes:
    """Arithmetic on integers that are `count` unsigned 64-bit numbers side by side."""

    def __init__(self, count: int) -> None:
        self._ones = int.from_bytes((1).to_bytes(_WIDTH, "little") * count, "little")
        self._high = self._ones << 63
        self._low = self._high - self._ones

    def plus(self, a: int, b: int) -> int:
        """Add modulo 2⁶⁴: without the high bits no carry leaves its lane."""
        return ((a & self._low) + (b & self._low)) ^ ((a ^ b) & self._high)

    def minus(self, a: int, b: int) -> int:
        """Subtract modulo 2⁶⁴."""
        return ((a | self._high) - (b & self._low)) ^ ((a ^ b ^ self._high) & self._high)

    def folded(self, a: int) -> int:
        """Number the signed integers 0, -1, 1, -2, …: then near 0 is small on either side."""
        negative = (a & self._high) >> 63
        return ((a & self._low) << 1) ^ ((negative << 64) - negative)

    def unfolded(self, a: int) -> int:
        """Undo `folded`."""
        negative = a & self._ones
        return ((a ^ negative) >> 1) ^ ((negative << 64) - negative)


_lanes = lru_cache(maxsize=8)(_Lanes)


def passes_in_piece(width: int) -> int:
    """How many columns of so many numbers are packed together."""
    return max(1, min(_MOST_PASSES, _MOST_NUMBERS // width))


def pack(columns: Sequence[array[Any]]) -> bytes:
    """Pack columns of one length; they hold floats, or integers of 64 bits."""
    count, width = len(columns), len(columns[0])
    lanes = _lanes(width)
    rows = [int.from_bytes(_little(column).tobytes(), "little") for column in columns]
    lag = _lag(rows, width)
    order, packed, weight = 0, rows, sum(map(int.bit_count, rows))
    for deeper in range(1, 256):
        rows = [*rows[:lag], *map(lanes.minus, rows[lag:], rows)]
        folded = list(map(lanes.folded, rows))
        lighter = sum(map(int.bit_count, folded))
        if lighter >= weight * _WORTHWHILE:
            break
        order, packed, weight = deeper, folded, lighter
    numbers = array("Q", b"".join(row.to_bytes(_WIDTH * width, "little") for row in packed))
    if count > 1:
        series = array("Q")
        for place in range(width):
            series.extend(numbers[place::width])
        numbers = series
    content = numbers.tobytes()
    flat = zlib.compress(b"".join(content[i::_WIDTH] for i in range(_WIDTH)))
    return bytes([order, lag]) + flat


def _lag(rows: Sequence[int], width: int) -> int:
    """Return from which earlier column the differences are the smallest: the one before, mostly."""
    lanes, shift = _lanes(min(width, _LOOKED_AT)), 64 * max(0, width - _LOOKED_AT)
    some = [row >> shift for row in rows[:_LOOKED_AT]]
    weights = {
        lag: sum(map(int.bit_count, map(lanes.folded, map(lanes.minus, some[lag:], some))))
        / (len(some) - lag)
        for lag in _LAGS
        if lag * 2 <= len(some)
    }
    usual = weights.get(1, 0.0)
    return min(weights, key=lambda lag: weights[lag] + (0.1 * usual if lag > 1 else 0), default=1)


def _summed(rows: Sequence[int], lag: int, lanes: _Lanes) -> list[int]:
    """Undo differences from `lag` columns before."""
    summed = list(rows)
    for first in range(lag):
        summed[first::lag] = accumulate(summed[first::lag], lanes.plus)
    return summed


def unpack(piece: memoryview, typecode: str, count: int, width: int) -> list[array[Any]]:
    """Return the columns in a piece: so many, of so many numbers each.

    Raises:
        Damaged: the piece does not hold them.
    """
    _check_room(piece, count, width)
    content = bytearray(_WIDTH * count * width)
    flat = _inflated(piece[2:], len(content))
    for i in range(_WIDTH):
        content[i::_WIDTH] = flat[i * count * width : (i + 1) * count * width]
    numbers = array("Q", bytes(content))
    packed = (numbers[i::count].tobytes() for i in range(count))
    rows = [int.from_bytes(row, "little") for row in packed]
    if order := piece[0]:
        lanes = _lanes(width)
        rows = list(map(lanes.unfolded, rows))
        for _ in range(order):
            rows = _summed(rows, max(1, piece[1]), lanes)
    return [_little(array(typecode, row.to_bytes(_WIDTH * width, "little"))) for row in rows]


def unpack_place(
    piece: memoryview, typecode: str, count: int, width: int, place: int
) -> array[Any]:
    """Return what stands at one place of each column in a piece, at a fraction of the cost.

    Raises:
        Damaged: the piece does not hold so many columns of so many numbers.
    """
    _check_room(piece, count, width)
    flat = _inflated(piece[2:], _WIDTH * count * width)
    content = bytearray(_WIDTH * count)
    for i in range(_WIDTH):
        begin = (i * width + place) * count
        content[i::_WIDTH] = flat[begin : begin + count]
    if order := piece[0]:
        lanes = int.from_bytes(content, "little")
        content = bytearray(_lanes(count).unfolded(lanes).to_bytes(_WIDTH * count, "little"))
        numbers = list(struct.unpack(f"<{count}Q", content))
        lag = max(1, piece[1])
        for _ in range(order):
            for first in range(lag):
                series = accumulate(numbers[first::lag], lambda a, b: (a + b) & _LANE)
                numbers[first::lag] = series
        content = bytearray(struct.pack(f"<{count}Q", *numbers))
    return _little(array(typecode, bytes(content)))


def _check_room(piece: memoryview, count: int, width: int) -> None:
    """Raise `Damaged` if a piece is too short to hold so many numbers, whatever they are."""
    if len(piece) < 2 or _WIDTH * count * width > _DENSEST * len(piece):
        raise Damaged(f"{len(piece)} bytes cannot hold {count} times {width} numbers")


def _inflated(piece: memoryview, size: int) -> bytes:
    """Decompress what should come to `size` bytes, and never more of it."""
    stream = zlib.decompressobj()
    try:
        content = stream.decompress(piece, size + 1)
    except zlib.error as error:
        raise Damaged(f"a column cannot be unpacked: {error}") from None
    if len(content) != size or not stream.eof or stream.unused_data:
        raise Damaged("a column is not as long as it should be")
    return content


def _little(numbers: array[Any]) -> array[Any]:
    """Turn the bytes of each number around where the machine has them the other way."""
    if sys.byteorder == "big":
        numbers = numbers[:]
        numbers.byteswap()
    return numbers


class Unpacker:
    """Unpacks what is looked at of a recording's columns, and keeps what was looked at last.

    `kept` pieces stay unpacked. `blame` makes an error of what is wrong with one.
    """

    def __init__(self, kept: int, blame: Callable[[Damaged], Exception]) -> None:
        self.columns = lru_cache(maxsize=kept)(self._columns)
        self._blame = blame

    def _columns(self, stream: Stream, piece: int) -> Sequence[array[float]]:
        with self._blaming():
            return stream.unpack(piece)

    def place(self, stream: Stream, piece: int, place: int) -> Sequence[float]:
        """Return what stands at a place of each column in a piece."""
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

    Who follows one number through a training looks at a place of a piece, and at no other one: that
    place alone is unpacked first, the rest when it is looked at, too.

    Raises:
        Damaged: the pieces cannot hold so many columns of so many numbers.
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
            _check_room(piece, self._count_in(number), width)

    def columns(self) -> Iterator[Packed]:
        """Yield the columns, still packed."""
        return (Packed(self, number, 0, self.width) for number in range(self._count))

    def column(self, number: int) -> array[float]:
        """Return the column of a pass."""
        piece, row = divmod(number, self._in_piece)
        return self._unpacker.columns(self, piece)[row]

    def number(self, number: int, place: int) -> float:
        """Return what stands at a place of the column of a pass."""
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
        """Return what stands at a place of each column in a piece.

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
