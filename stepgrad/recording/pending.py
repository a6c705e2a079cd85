"""What a recorder has collected and not logged yet (`Pending`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from stepgrad.engine.dual import tangents_among
from stepgrad.engine.node import Node
from stepgrad.engine.tape import Place, current_place
from stepgrad.recording.batch import Batch, first_of_row, offsets
from stepgrad.recording.blocks import packed
from stepgrad.recording.callers import Callers
from stepgrad.recording.changes import Written
from stepgrad.recording.released import MANY, Released


class Pending:
    """Writes by hand, and then the nodes that were made after them.

    Both lists stay the same objects, and are added to by whichever thread; what is taken out of
    them is what is there at one moment.

    Args:
        callers: what finds the lines of nodes, if they are noted.
    """

    def __init__(self, callers: Callers | None) -> None:
        self.written: list[Written] = []
        self.made: list[
            Any
        ] = []  # Values; where lines are noted, each with its spot (line, file) and `Place`
        self.append: Callable[[Node], None] = self.made.append
        if callers is not None:
            self.append = callers.noting(self.made.append)
        self._callers = callers
        self._named: list[Node] = []
        self._seeds: dict[int, float] = {}  # by stamp
        self._moves: list[tuple[int, Place]] = [(0, current_place())]
        self._parted = 0  # how many nodes were taken in parts
        self._look_at = MANY
        self._released = Released(references=1)

    def __len__(self) -> int:
        """The number of pending nodes or of pending writes, whichever is greater."""
        return max(len(self.made), len(self.written))

    def cut(self, room: int) -> None:
        """Keep only the first `room` nodes and the first `room` writes."""
        del self.made[room:], self.written[room:]
        self._moves = [move for move in self._moves if move[0] < max(1, len(self.made))]

    def name(self, value: Node) -> None:
        """Take note of a label."""
        self._named.append(value)

    def seed(self, value: Node, tangent: float) -> None:
        """Take note of a tangent; those of other nodes are computed when they are taken.

        Raises:
            ValueError: the value is not pending.
        """
        first = next(iter(self.made), None)
        if self._callers is not None and first is not None:
            first = first[0]
        if first is None or value._stamp < first._stamp:
            raise ValueError("only what this pass has made can be seeded: make a new Value")
        self._seeds[value._stamp] = tangent

    def move(self, place: Place) -> None:
        """Take note that nodes are made at another place from here on."""
        if self._callers is None:  # they see by themselves where a node is made
            self._moves.append((len(self.made), place))

    def take_written(self) -> Sequence[Written]:
        """Take the writes out."""
        written = self.written[:]
        del self.written[: len(written)]
        return written

    @property
    def piled_up(self) -> bool:
        """Whether it is time to ask again for parts."""
        return len(self.made) >= self._look_at

    @property
    def divisible(self) -> bool:
        """Whether so much is pending, what was taken in parts included, that it may be divided."""
        return self._parted + len(self.made) >= MANY and not self._seeds

    def take_parts(self) -> Iterator[Batch]:
        """Take out, in parts, the nodes that nothing that comes later belongs to."""
        nodes = self.made[:]
        if self._callers is not None:
            nodes = [node for node, _, _ in nodes]
        begin = 0
        for end in [*self._released.ends(nodes)]:
            count, begin = end - begin, end
            self._parted += count
            yield self._take(count)
        self._look_at = max(MANY, 2 * len(self.made))

    def take_made(self) -> Batch:
        """Take the nodes out, with their names and places, and in forward mode their tangents."""
        self._parted, self._look_at = 0, MANY
        return self._take(len(self.made))

    def _take(self, count: int) -> Batch:
        nodes: Sequence[Node] = self.made[:count]
        del self.made[:count]
        moves: Iterable[tuple[int, Place]]
        if self._callers is None:
            moves = self._take_moves(count)
        else:
            nodes, spots, places = zip(*nodes, strict=True)
            moves = self._callers.moves(spots, places)
        row = first_of_row(nodes)
        seeds, self._seeds = self._seeds, {}
        tangents = packed(tangents_among(nodes, seeds)) if seeds else None
        return Batch(nodes, row, self._names(nodes, row), (*moves,), tangents)

    def _take_moves(self, count: int) -> Iterable[tuple[int, Place]]:
        """Take out where the first nodes were made; those after them keep their places."""
        moves = self._moves
        if len(moves) == 1:
            return moves
        *_, current = (place for at, place in moves if at <= count)
        self._moves = [(0, current), *((at - count, place) for at, place in moves if at > count)]
        return {at: place for at, place in moves if at < count}.items()

    def take_named(self) -> Sequence[Node]:
        """Take out the values that were given a label, and are none of the nodes taken."""
        named, self._named = self._named, []
        return named

    def _names(self, nodes: Sequence[Node], row: int | None) -> tuple[tuple[int, str], ...]:
        """Return the labels of nodes, by offset; those of others stay."""
        if not self._named:
            return ()
        found = list(zip(offsets(self._named, nodes, row), self._named, strict=True))
        self._named = [value for offset, value in found if offset is None]
        return tuple((offset, v._label or "") for offset, v in found if offset is not None)
