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
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any

_WIDTH = 8  # bytes of a number
_LANE = (1 << 64) - 1
_MOST_PASSES, _MOST_NUMBERS = 256, 1 << 16
_DENSEST = 1040  # deflate says at most 258 bytes in two bits, and a few more at its ends
_WORTHWHILE = 0.97
_LAGS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 32)
_LONG, _SAMPLES, _SAMPLE = 1 << 16, 4, 1 << 12  # bytes
_SEARCHED = 0.97  # of the size that it has without: what makes a search for repetitions worthwhile
_HEADER, _LAST_BLOCK = b"\x78\x9c", b"\x03\x00"  # of a zlib stream
TOGETHER = 1 << 14
"""How many numbers are computed with at once, where there are many: what caches hold."""
_LOOKED_AT = 96  # columns of a piece, and numbers of each, to see which lag it has


class Damaged(ValueError):  # noqa: N818 - what the file is
    """A file holds something that is not possible; the message names it."""


class Lanes:
    """Arithmetic on integers that are `count` unsigned 64-bit numbers side by side."""

    def __init__(self, count: int) -> None:
        self.ones = int.from_bytes((1).to_bytes(_WIDTH, "little") * count, "little")
        self.high = self.ones << 63
        self._low = self.high - self.ones

    def plus(self, a: int, b: int) -> int:
        """Add modulo 2⁶⁴: without the high bits no carry leaves its lane."""
        return ((a & self._low) + (b & self._low)) ^ ((a ^ b) & self.high)

    def minus(self, a: int, b: int) -> int:
        """Subtract modulo 2⁶⁴."""
        return ((a | self.high) - (b & self._low)) ^ ((a ^ b ^ self.high) & self.high)

    def by_sign(self, a: int, negative: int, other: int) -> int:
        """Take from the one where `a` is negative, and else from the other."""
        signs = (a & self.high) >> 63
        return other ^ ((negative ^ other) & ((signs << 64) - signs))

    def folded(self, a: int) -> int:
        """Number the signed integers 0, -1, 1, -2, …: then near 0 is small on either side."""
        negative = (a & self.high) >> 63
        return ((a & self._low) << 1) ^ ((negative << 64) - negative)

    def unfolded(self, a: int) -> int:
        """Undo `folded`."""
        negative = a & self.ones
        return ((a ^ negative) >> 1) ^ ((negative << 64) - negative)


lanes = lru_cache(maxsize=8)(Lanes)


def as_lanes(column: Iterable[Any]) -> int:
    """Return floats, or integers of 64 bits, as one long integer."""
    if not isinstance(column, array) or column.itemsize != _WIDTH:
        column = array("q", column)
    return int.from_bytes(_little(column).tobytes(), "little")


def as_array(typecode: str, row: int, width: int) -> array[Any]:
    """Undo `as_lanes`."""
    return _little(array(typecode, row.to_bytes(_WIDTH * width, "little")))


def passes_in_piece(width: int) -> int:
    """How many columns of this many numbers are packed together."""
    return max(1, min(_MOST_PASSES, _MOST_NUMBERS // width))


def pack(columns: Sequence[array[Any]]) -> bytes:
    """Pack columns of one length; they hold floats, or integers of 64 bits."""
    count, width = len(columns), len(columns[0])
    if count == 1:
        return _alone(columns[0])
    many = lanes(width)
    rows = [as_lanes(column) for column in columns]
    lag = _lag(rows, width)
    order, packed, weight = 0, rows, sum(map(int.bit_count, rows))
    for deeper in range(1, 256):
        rows = [*rows[:lag], *map(many.minus, rows[lag:], rows)]
        folded = list(map(many.folded, rows))
        lighter = sum(map(int.bit_count, folded))
        if lighter >= weight * _WORTHWHILE:
            break
        order, packed, weight = deeper, folded, lighter
    numbers = array("Q", b"".join(row.to_bytes(_WIDTH * width, "little") for row in packed))
    series = array("Q")
    for place in range(width):
        series.extend(numbers[place::width])
    return bytes([order, lag]) + _by_weight(series.tobytes())


def _alone(column: array[Any]) -> bytes:
    """Pack one column, which may be long: in parts, or its integers would be longer than caches."""
    many, starts = lanes(TOGETHER), range(0, len(column), TOGETHER)

    def rows() -> Iterator[int]:  # a list of them would be as large as the column
        return (as_lanes(column[at : at + TOGETHER]) for at in starts)

    weight = sum(map(int.bit_count, rows()))
    order = int(sum(map(int.bit_count, map(many.folded, rows()))) < weight * _WORTHWHILE)
    widths = (min(TOGETHER, len(column) - at) for at in starts)
    parts = zip(map(many.folded, rows()) if order else rows(), widths, strict=True)
    content = b"".join(row.to_bytes(_WIDTH * width, "little") for row, width in parts)
    return bytes([order, 1]) + _by_weight(content)


def _by_weight(content: bytes) -> bytes:
    return _deflated([content[i::_WIDTH] for i in range(_WIDTH)])


def _deflated(weights: Sequence[bytes]) -> bytes:
    """Compress bytes of one weight after those of another, long ones each as it is best for them.

    The mantissas of most numbers are noise: searching them for repetitions takes four times as long
    as counting their bytes, and finds nothing.
    """
    if len(weights[0]) < _LONG:
        return zlib.compress(b"".join(weights))
    parts, checksum = [_HEADER], 1
    for each in weights:
        stream = _compressor(_strategy(each))
        parts += stream.compress(each), stream.flush(zlib.Z_SYNC_FLUSH)
        checksum = zlib.adler32(each, checksum)
    return b"".join((*parts, _LAST_BLOCK, checksum.to_bytes(4, "big")))


def _compressor(strategy: int) -> Any:
    """Return what compresses without a header and a checksum."""
    return zlib.compressobj(wbits=-zlib.MAX_WBITS, strategy=strategy)


def _strategy(content: bytes) -> int:
    """Return whether to search for repetitions: only if samples get smaller by that."""
    places = range(0, len(content) - _SAMPLE + 1, (len(content) - _SAMPLE) // (_SAMPLES - 1))
    sample = b"".join(content[at : at + _SAMPLE] for at in places)
    sizes = {}
    for strategy in (zlib.Z_RLE, zlib.Z_DEFAULT_STRATEGY):
        stream = _compressor(strategy)
        sizes[strategy] = len(stream.compress(sample) + stream.flush())
    searched = sizes[zlib.Z_DEFAULT_STRATEGY] < sizes[zlib.Z_RLE] * _SEARCHED
    return zlib.Z_DEFAULT_STRATEGY if searched else zlib.Z_RLE


def _lag(rows: Sequence[int], width: int) -> int:
    """Return from which earlier column the differences are the smallest: the one before, mostly."""
    many, shift = lanes(min(width, _LOOKED_AT)), 64 * max(0, width - _LOOKED_AT)
    some = [row >> shift for row in rows[:_LOOKED_AT]]
    weights = {
        lag: sum(map(int.bit_count, map(many.folded, map(many.minus, some[lag:], some))))
        / (len(some) - lag)
        for lag in _LAGS
        if lag * 2 <= len(some)
    }
    usual = weights.get(1, 0.0)
    return min(weights, key=lambda lag: weights[lag] + (0.1 * usual if lag > 1 else 0), default=1)


def _summed(rows: Sequence[int], lag: int, many: Lanes) -> list[int]:
    """Undo differences from `lag` columns before."""
    summed = list(rows)
    for first in range(lag):
        summed[first::lag] = accumulate(summed[first::lag], many.plus)
    return summed


def unpack(piece: memoryview, typecode: str, count: int, width: int) -> list[array[Any]]:
    """Return the columns in a piece: this many, of this many numbers each.

    Raises:
        Damaged: the piece does not hold them.
    """
    check_room(piece, count, width)
    flat = _inflated(piece[2:], _WIDTH * count * width)
    if count == 1:
        return [_unpacked_alone(flat, typecode, width, order=piece[0])]
    content = bytearray(len(flat))
    for i in range(_WIDTH):
        content[i::_WIDTH] = flat[i * count * width : (i + 1) * count * width]
    numbers = array("Q", bytes(content))
    packed = (numbers[i::count].tobytes() for i in range(count))
    rows = [int.from_bytes(row, "little") for row in packed]
    if order := piece[0]:
        many = lanes(width)
        rows = list(map(many.unfolded, rows))
        for _ in range(order):
            rows = _summed(rows, max(1, piece[1]), many)
    return [as_array(typecode, row, width) for row in rows]


def _unpacked_alone(flat: bytes, typecode: str, width: int, *, order: int) -> array[Any]:
    """Undo `_alone`, in parts as well; differences between columns there are none."""
    many, column = lanes(TOGETHER), array(typecode)
    for first in range(0, width, TOGETHER):
        count = min(TOGETHER, width - first)
        content = bytearray(_WIDTH * count)
        for i in range(_WIDTH):
            content[i::_WIDTH] = flat[i * width + first : i * width + first + count]
        row = int.from_bytes(content, "little")
        column += as_array(typecode, many.unfolded(row) if order else row, count)
    return column


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
        packed = int.from_bytes(content, "little")
        content = bytearray(lanes(count).unfolded(packed).to_bytes(_WIDTH * count, "little"))
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
