"""A sheet of terminal cells: a character and a style in each, and lines that join where they meet.

A line is drawn as arms: one bit for each direction in which it leaves a cell. Arms add up, so that
two strokes that meet become the proper joint (`╮` and `╭` make `┬`), whatever their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby

from rich.cells import get_character_cell_size
from textual.content import Content

EAST, WEST, NORTH, SOUTH = 1, 2, 4, 8
"""The arms of a line in a cell; a heavy arm is the same bit four places higher."""

HEAVY = 4
"""How far the bits of a heavy line are shifted."""

JOINTS = {
    EAST: "╶╺",
    WEST: "╴╸",
    EAST | WEST: "─╼╾━",
    NORTH: "╵╹",
    EAST | NORTH: "╰┕┖┗",
    WEST | NORTH: "╯┙┚┛",
    EAST | WEST | NORTH: "┴┶┵┷┸┺┹┻",
    SOUTH: "╷╻",
    EAST | SOUTH: "╭┍┎┏",
    WEST | SOUTH: "╮┑┒┓",
    EAST | WEST | SOUTH: "┬┮┭┯┰┲┱┳",
    NORTH | SOUTH: "│╿╽┃",
    EAST | NORTH | SOUTH: "├┝┞┡┟┢┠┣",
    WEST | NORTH | SOUTH: "┤┥┦┩┧┪┨┫",
    EAST | WEST | NORTH | SOUTH: "┼┾┽┿╀╄╃╇╁╆╅╈╂╊╉╋",
}
"""The joints of each set of arms, by which of the arms are heavy: none first, all last."""


def _joint(bits: int) -> str:
    """The character for light arms (low four bits) and heavy ones (high four)."""
    arms, heavy = (bits | bits >> HEAVY) & 15, bits >> HEAVY
    if not arms:
        return " "
    subsets = [subset for subset in range(16) if subset & ~arms == 0]
    return JOINTS[arms][subsets.index(heavy)]


_JOINTS_OF_BITS = tuple(_joint(bits) for bits in range(256))

Stroke = tuple[int, int, int]
"""A cell of a line: column, row, arms."""


@lru_cache(maxsize=4096)
def cells_of(text: str) -> tuple[str, ...]:
    """The text in terminal cells.

    The second cell of a wide character is empty, a combining mark is in the cell of the character
    that it marks, and what cannot be printed is left out.
    """
    cells: list[str] = []
    for character in filter(str.isprintable, text):
        size = get_character_cell_size(character)
        if size:
            cells += [character, ""][:size]
        elif cells:
            cells[-1 if cells[-1] else -2] += character
    return tuple(cells)


def cut(cells: Sequence[str], start: int, stop: int) -> list[str]:
    """A stretch of cells, with a blank for half of a wide character at either end."""
    kept = list(cells[start:stop])
    if kept and not kept[0]:
        kept[0] = " "
    if kept and stop < len(cells) and not cells[stop]:
        kept[-1] = " "
    return kept


def _seen(cells: Sequence[str], start: int, stop: int) -> list[str]:
    """A stretch of cells, with `…` at an end that cuts a text: half a number is another number."""
    before = start > 0 and _is_text(cells[start - 1]) and _is_text(cells[start])
    after = stop < len(cells) and _is_text(cells[stop - 1]) and _is_text(cells[stop])
    if stop - start < 2:
        return ["…"] if before or after else cut(cells, start, stop)
    return ["…"] * before + cut(cells, start + before, stop - after) + ["…"] * after


def _is_text(cell: str) -> bool:
    """Whether a cell holds a text, or the second half of a character, and not a part of a line."""
    return not cell or not (cell in " ▶" or "─" <= cell[0] <= "╿")


class Canvas:
    """Cells to write on. Text is cut at the edges; lines must stay within them."""

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self._characters = [[" "] * width for _ in range(height)]
        self._styles: list[list[str]] = [[""] * width for _ in range(height)]
        self._arms = [bytearray(width) for _ in range(height)]

    def trace(self, strokes: Iterable[Stroke], style: str = "", *, heavy: bool = False) -> None:
        """Draw a line; its arms join those already there, and its style replaces theirs."""
        shift = HEAVY if heavy else 0
        characters, styles, grid = self._characters, self._styles, self._arms
        for x, y, arms in strokes:
            row = grid[y]
            row[x] |= arms << shift
            characters[y][x] = _JOINTS_OF_BITS[row[x]]
            styles[y][x] = style

    def write(self, x: int, y: int, text: str, style: str = "") -> None:
        """Write over what is there, from a cell to the right."""
        cells = cells_of(text)
        left, right = max(x, 0), min(x + len(cells), self.width)
        if left < right and 0 <= y < self.height:
            whole = right - left == len(cells)
            self._characters[y][left:right] = cells if whole else cut(cells, left - x, right - x)
            self._styles[y][left:right] = [style] * (right - left)

    def crop(self, x: int, y: int, width: int, height: int) -> list[Content]:
        """The lines of a window on the canvas.

        Cells outside it are blank. Where the window cuts a text, there is `…`.
        """
        return [Content.assemble(*self._runs(row, x, width)) for row in range(y, y + height)]

    def window(self, left: int, top: int, width: int, height: int) -> Canvas:
        """A part of the canvas, to write on in turn; what it shows beyond the edges is blank."""
        view = Canvas(width, height)
        first, last = max(left, 0), min(left + width, self.width)
        if first < last:
            for y in range(max(top, 0), min(top + height, self.height)):
                characters = _seen(self._characters[y], first, last)
                view._characters[y - top][first - left : last - left] = characters
                view._styles[y - top][first - left : last - left] = self._styles[y][first:last]
        return view

    def is_blank(self, x: int, y: int, width: int) -> bool:
        """Whether some cells of a row are on the canvas, and nothing is in them."""
        within = 0 <= x <= x + width <= self.width and 0 <= y < self.height
        return within and set(self._characters[y][x : x + width]) <= {" "}

    def rows_unlike(self, other: Canvas) -> Iterator[int]:
        """The rows that look different on another canvas of the same size."""
        for y in range(self.height):
            mine, theirs = ((each._characters[y], each._styles[y]) for each in (self, other))
            if mine != theirs:
                yield y

    def plain(self) -> str:
        """The characters alone, without the blanks at the ends of lines."""
        return "\n".join("".join(row).rstrip() for row in self._characters)

    def _runs(self, y: int, x: int, width: int) -> Iterator[tuple[str, str]]:
        """The stretches of one style in a part of a row."""
        left, right = max(x, 0), min(x + width, self.width)
        if left >= right or not 0 <= y < self.height:
            yield " " * width, ""
            return
        if x < left:
            yield " " * (left - x), ""
        characters = _seen(self._characters[y], left, right)
        start = 0
        for style, same in groupby(self._styles[y][left:right]):
            stop = start + sum(1 for _ in same)
            yield "".join(characters[start:stop]), style
            start = stop
        if right < x + width:
            yield " " * (x + width - right), ""
