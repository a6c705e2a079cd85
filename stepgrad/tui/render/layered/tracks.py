"""Step 4: the columns of the vertical trunks in the gap between two layers.

Channel routing. A trunk comes in from the left at one row and leaves to the right at one or more.
If it leaves at a row where another comes in, the other must end first, or the two would run over
each other; where the order is free, the one with fewer crossings is taken. A cycle of such needs
is cut by a detour over a free row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trunk:
    """Come in, turn at column `first` to `row`, and at column `last` to the rows of the ends."""

    first: int
    row: int
    last: int


@dataclass(slots=True, eq=False)
class _Piece:
    """A vertical line to be placed: a whole trunk, or half of one with a detour."""

    net: int
    start: int
    ends: tuple[int, ...]
    column: int = 0
    after: _Piece | None = None

    @property
    def span(self) -> tuple[int, int]:
        """The topmost and the lowest row."""
        return min(self.start, *self.ends), max(self.start, *self.ends)

    def overlaps(self, other: _Piece) -> bool:
        """Whether the two cannot stand in one column."""
        (top, bottom), (other_top, other_bottom) = self.span, other.span
        return top <= other_bottom and other_top <= bottom


def route(nets: Sequence[tuple[int, Sequence[int]]]) -> tuple[list[Trunk], int]:
    """Trunks for nets of (row at the left, rows at the right), and how many columns they take."""
    bent = [
        _Piece(net, start, tuple(ends))
        for net, (start, ends) in enumerate(nets)
        if any(end != start for end in ends)
    ]
    taken = {row for start, ends in nets for row in (start, *ends)}
    placed = _ordered(bent, taken)
    for index, piece in enumerate(placed):
        before = (other.column for other in placed[:index] if other.overlaps(piece))
        piece.column = 1 + max(before, default=-1)
    trunks = [Trunk(0, start, 0) for start, _ in nets]
    for piece in placed:
        first = piece if piece.after is None else piece.after
        trunks[piece.net] = Trunk(first.column, piece.start, piece.column)
    return trunks, 1 + max((piece.column for piece in placed), default=-1)


def _ordered(waiting: list[_Piece], taken: set[int]) -> list[_Piece]:
    """The pieces from left to right; a piece is cut in two where no order would do."""
    pull = {piece: sum(_pull(piece, other) for other in waiting) for piece in waiting}
    placed: list[_Piece] = []
    while waiting:
        starts = {piece.start: piece for piece in waiting}
        ready = [
            piece
            for piece in waiting
            if all(starts.get(end, piece) is piece for end in piece.ends)
        ]
        piece = min(ready or waiting, key=pull.__getitem__)
        if not ready:
            piece = _cut(piece, taken)
        else:
            waiting.remove(piece)
            for other in waiting:
                pull[other] -= _pull(other, piece)
        placed.append(piece)
    return placed


def _pull(piece: _Piece, other: _Piece) -> int:
    """How many more crossings there are if the piece stands to the left of the other."""
    if not piece.overlaps(other):
        return 0
    return _crossings(piece, other) - _crossings(other, piece)


def _crossings(left: _Piece, right: _Piece) -> int:
    """How many horizontal lines of each run over the vertical line of the other."""
    (left_top, left_bottom), (right_top, right_bottom) = left.span, right.span
    over_right = sum(right_top < end < right_bottom for end in left.ends)
    return over_right + (left_top < right.start < left_bottom)


def _cut(piece: _Piece, taken: set[int]) -> _Piece:
    """Send the piece over the nearest free row; return the first half, keep it as the second."""
    rows = (row for row in range(max(taken) + 2) if row not in taken)
    detour = min(rows, key=lambda row: abs(row - piece.start) + abs(row - piece.ends[0]))
    taken.add(detour)
    piece.after = _Piece(piece.net, piece.start, (detour,))
    piece.start = detour
    return piece.after
