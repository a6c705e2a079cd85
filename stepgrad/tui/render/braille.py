"""Dots finer than cells: a braille character holds two across and four down."""

from __future__ import annotations

_BLANK = 0x2800
_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bits of a braille character, by row and column of its dots."""


class Dots:
    """A field of `2·width` by `4·height` dots in cells; (0, 0) is at the top left."""

    def __init__(self, width: int, height: int) -> None:
        self._cells = [[_BLANK] * width for _ in range(height)]

    def dot(self, x: int, y: int) -> None:
        """Set a dot.

        Raises:
            IndexError: it is outside the field.
        """
        self._cells[y // 4][x // 2] |= _BITS[y % 4][x % 2]

    def line(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Set the dots on a line from one to another."""
        (x, y), (dx, dy) = start, (end[0] - start[0], end[1] - start[1])
        count = max(abs(dx), abs(dy), 1)
        for i in range(count + 1):
            self.dot(x + round(i * dx / count), y + round(i * dy / count))

    def lines(self) -> list[str]:
        """Return the lines of characters; a cell without dots is a space."""
        # Not every font has the braille blank.
        return ["".join(map(chr, cells)).replace(chr(_BLANK), " ") for cells in self._cells]
