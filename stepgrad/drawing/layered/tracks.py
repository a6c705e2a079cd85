"""Step 4: the columns of the vertical trunks in the gap between two layers.

Channel routing. A trunk comes in from the left at one row and leaves to the right at one or more.
If it leaves at a row where another comes in, the other must turn off before, or the two would run
over each other; where the order is free, the one with fewer crossings is taken. A cycle of such
needs is broken by a detour over a free row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Trunk(NamedTuple):
    """Come in, turn at column `first` to `row`, and at column `last` to the rows of the ends."""

    first: int
    row: int
    last: int


class _Piece:
    """A vertical line to be placed: a whole trunk, or the half before or after a detour."""

    __slots__ = ("after", "bottom", "column", "ends", "net", "start", "top")

    def __init__(
        self, net: int, start: int, ends: Sequence[int], after: _Piece | None = None
    ) -> None:
        self.net = net
        self.start = start
        self.ends = ends
        self.after = after
        self.top = min(start, *ends)
        self.bottom = max(start, *ends)
        self.column = 0

    def meets(self, other: _Piece) -> bool:
        """Whether the two need columns of their own."""
        return self.top <= other.bottom and other.top <= self.bottom


def route(nets: Sequence[tuple[int, Sequence[int]]]) -> tuple[list[Trunk], int]:
    """Trunks for nets of (row on the left, rows on the right), and how many columns they take."""
    bent = [
        _Piece(net, start, ends)
        for net, (start, ends) in enumerate(nets)
        if any(end != start for end in ends)
    ]
    taken = {row for start, ends in nets for row in (start, *ends)}
    trunks = [Trunk(0, start, 0) for start, _ in nets]
    placed: list[_Piece] = []
    for piece in _ordered(bent, taken):
        piece.column = 1 + max((other.column for other in placed if other.meets(piece)), default=-1)
        placed.append(piece)
        first = piece.after or piece
        trunks[piece.net] = Trunk(first.column, piece.start, piece.column)
    return trunks, 1 + max((piece.column for piece in placed), default=-1)


def _ordered(waiting: list[_Piece], taken: set[int]) -> list[_Piece]:
    """The pieces from left to right; one is cut in two where no order would do."""
    pull = {piece: sum(_pull(piece, other) for other in waiting) for piece in waiting}
    ordered: list[_Piece] = []
    while waiting:
        starts = {piece.start: piece for piece in waiting}
        ready = [
            piece for piece in waiting if all(starts.get(end, piece) is piece for end in piece.ends)
        ]
        piece = min(ready or waiting, key=pull.__getitem__)
        waiting.remove(piece)
        if ready:
            for other in waiting:
                pull[other] -= _pull(other, piece)
            ordered.append(piece)
        else:
            before, after = _cut(piece, taken)
            pull[after] = pull[piece]
            ordered.append(before)
            waiting.append(after)
    return ordered


def _pull(piece: _Piece, other: _Piece) -> int:
    """How many more crossings there are if the piece is to the left of the other."""
    if not piece.meets(other):
        return 0
    return _crossings(piece, other) - _crossings(other, piece)


def _crossings(left: _Piece, right: _Piece) -> int:
    """How many horizontal lines of each run across the vertical line of the other."""
    across = sum(right.top < end < right.bottom for end in left.ends)
    return across + (left.top < right.start < left.bottom)


def _cut(piece: _Piece, taken: set[int]) -> tuple[_Piece, _Piece]:
    """Send a piece over the nearest row that no net starts or ends at.

    Two detours may share the row: all their pieces touch it, so their columns follow one another.
    """
    free = (row for row in range(max(taken) + 2) if row not in taken)
    detour = min(free, key=lambda row: abs(row - piece.start) + abs(row - piece.ends[0]))
    before = _Piece(piece.net, piece.start, [detour])
    return before, _Piece(piece.net, detour, piece.ends, before)
