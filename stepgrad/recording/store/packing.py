"""Columns of numbers as a file holds them: small.

Training changes numbers smoothly: each entry of a column changes from pass to pass almost as it
changed before. So what is kept of a pass is not its numbers but their differences of
some order from the passes before it, computed on the 64 bits of each as on an integer, which loses
nothing. Where samples take turns, that is the latest pass of the same sample, some passes before.
Small differences have many zero bytes, and zlib finds them where bytes of the same weight are
together.

All arithmetic is on whole columns at once: a column is one long integer of 64-bit lanes.
"""

from __future__ import annotations

import struct
import sys
import zlib
from array import array
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any

_WIDTH = 8  # bytes of a number
_LANE = (1 << 64) - 1
_MOST_PASSES, _MOST_NUMBERS = 256, 1 << 16
_DENSEST = 1040  # deflate says at most 258 bytes in two bits, and a few more at its ends
_WORTHWHILE = 0.97
_LAGS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 32)
_LOOKED_AT = 96  # columns of a piece, and numbers of each, to see which lag it has


class Damaged(ValueError):  # noqa: N818 - what the file is
    """A file holds something that is not possible; the message names it."""


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
    """How many columns of this many numbers are packed together."""
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
    """Return the columns in a piece: this many, of this many numbers each.

    Raises:
        Damaged: the piece does not hold them.
    """
    check_room(piece, count, width)
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
    """Return one entry of each column in a piece, at a fraction of the cost of all.

    Raises:
        Damaged: the piece does not hold this many columns of this many numbers.
    """
    check_room(piece, count, width)
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


def check_room(piece: memoryview, count: int, width: int) -> None:
    """Raise `Damaged` if a piece is too short to hold this many numbers, whatever they are."""
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
