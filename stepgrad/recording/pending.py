"""What a recorder has collected and not logged yet (`Pending`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from stepgrad.engine.dual import tangents_among
from stepgrad.engine.node import Node
from stepgrad.engine.ops import LEAF
from stepgrad.engine.tape import Place, current_place
from stepgrad.recording.batch import Batch, first_of_row, offsets
from stepgrad.recording.blocks import packed
from stepgrad.recording.changes import Written
from stepgrad.recording.foreign.walks import WIDTH, Walk
from stepgrad.recording.released import MANY, Released

if TYPE_CHECKING:
    from stepgrad.recording.callers import Callers
    from stepgrad.recording.naming.paths import Where


class Pending:
    """A backward pass that the program runs, then writes by hand, then the nodes made after them.

    The lists stay the same objects, and are added to by whichever thread; what is taken out of
    them is what is there at one moment.

    Args:
        callers: what finds the lines of nodes, if they are noted.
    """

    def __init__(self, callers: Callers | None) -> None:
        # The parts of each `Walked`: a tuple would have to be looked at by the garbage collector.
        self.walked: list[Any] = []
        self.by_path = False  # of the pass in `walked`
        self.remarks: list[tuple[str, Node | None, Place, str]] = []
        self.written: list[Written] = []
        # Values; where lines are noted, each with the rest of what is `callers.Noted`.
        self.made: list[Any] = []
        self._width = 1
        self.append: Callable[[Node], None] = self.made.append
        if callers is not None:
            self._width = callers.WIDTH
            self.append = callers.noting(self.made.extend)
        self._callers = callers
        self._named: list[Node] = []
        self._seeds: dict[int, float] = {}  # by stamp
        self._moves: list[tuple[int, Place]] = [(0, current_place())]
        self._parted = 0  # how many nodes were taken in parts
        self._look_at = MANY
        self._released = Released(references=1)

    def __len__(self) -> int:
        """The number of pending nodes or of pending writes, whichever is greatest."""
        return max(self.nodes, len(self.written), len(self.walked) // WIDTH)

    @property
    def nodes(self) -> int:
        """How many nodes are pending."""
        return len(self.made) // self._width

    @property
    def idle(self) -> bool:
        """Whether nothing is pending."""
        return not (
            self.made
            or self.written
            or self.walked
            or self._named
            or self.remarks
            or self._callers is not None  # which may have found a name by now
        )

    def cut(self, room: int) -> None:
        """Keep only the first `room` nodes and the first `room` writes of each kind."""
        del self.made[room * self._width :], self.written[room:], self.walked[room * WIDTH :]
        self._moves = [move for move in self._moves if move[0] < max(1, len(self.made))]

    def append_at(self, node: Node, where: Where | None) -> None:
        """Take note of a node, and of where it was made, if places are noted."""
        if self._callers is None:
            self.made.append(node)
        else:
            self.made.extend((node, where or self._callers.found(None), current_place()))

    def name(self, value: Node) -> None:
        """Take note of a label."""
        self._named.append(value)

    def seed(self, value: Node, tangent: float) -> None:
        """Take note of a tangent; those of other nodes are computed when they are taken.

        Raises:
            ValueError: the value is not pending.
        """
        first = next(iter(self.made), None)
        if first is None or value._stamp < first._stamp:
            raise ValueError("only what this pass has made can be seeded: make a new Value")
        self._seeds[value._stamp] = tangent

    def move(self, place: Place) -> None:
        """Take note that nodes are made at another place from here on."""
        if self._callers is None:  # they see by themselves where a node is made
            self._moves.append((len(self.made), place))

    def take_walk(self) -> Walk:
        """Take the backward pass out."""
        walked, by_path = self.walked[:], self.by_path
        del self.walked[: len(walked)]
        self.by_path = False
        return Walk._make([*(walked[part::WIDTH] for part in range(WIDTH)), by_path])

    def take_remarks(self) -> Sequence[tuple[str, Node | None, Place, str]]:
        """Take the remarks out."""
        remarks = self.remarks[:]
        del self.remarks[: len(remarks)]
        return remarks

    def look(self, *, driven: bool = False, again: bool = False) -> None:
        """Have leaves named by what holds them, when the nodes are taken.

        It is `driven` if the calls that run now are about to run a backward pass. `again`:
        leaves that were not found before are looked for, too.
        """
        if self._callers is not None:
            self._callers.look(driven=driven, again=again)

    def want(self, nodes: Iterable[Node]) -> None:
        """Take note of nodes that are logged and not among those made."""
        if self._callers is not None:
            self._callers.holders.want(
                node._stamp for node in nodes if node._operation is LEAF and node._label is None
            )

    def let_go(self) -> None:
        """Keep nothing of the program alive."""
        if self._callers is not None:
            self._callers.let_go()

    def take_written(self) -> Sequence[Written]:
        """Take the writes out."""
        written = self.written[:]
        del self.written[: len(written)]
        return written

    @property
    def piled_up(self) -> bool:
        """Whether it is time to ask again for parts."""
        return len(self.made) >= self._look_at * self._width

    @property
    def divisible(self) -> bool:
        """Whether enough is pending, what was taken in parts included, to be divided."""
        return self._parted + len(self.made) // self._width >= MANY and not self._seeds

    def take_parts(self) -> Iterator[Batch]:
        """Take out, in parts, the nodes that nothing that comes later belongs to."""
        nodes = self.made[:: self._width]
        begin = 0
        for end in [*self._released.ends(nodes)]:
            self._parted += end - begin
            yield self._take(end - begin, row=nodes[begin]._stamp)
            begin = end
        self._next_batch()
        self._look_at = max(MANY, 2 * len(self.made) // self._width)

    def take_made(self) -> Batch:
        """Take the nodes out, with their names and places, and in forward mode their tangents."""
        self._parted, self._look_at = 0, MANY
        taken = self._take(len(self.made) // self._width)
        self._next_batch()
        return taken

    def _next_batch(self) -> None:
        if self._callers is not None:
            self._callers.next_batch(self.made)

    def _take(self, count: int, row: int | None = None) -> Batch:
        made = self.made[: count * self._width]
        del self.made[: len(made)]
        nodes: Sequence[Node] = made
        moves: Iterable[tuple[int, Place]]
        names: tuple[tuple[int, str], ...] = ()
        if self._callers is None:
            moves = self._take_moves(count)
        else:
            nodes, (moves, names) = self._callers.described(made)
        row = first_of_row(nodes) if row is None else row
        seeds, self._seeds = self._seeds, {}
        tangents = packed(tangents_among(nodes, seeds)) if seeds else None
        return Batch(nodes, row, self._names(nodes, row, names), tuple(moves), tangents)

    def _take_moves(self, count: int) -> Iterable[tuple[int, Place]]:
        """Take out where the first nodes were made; those after them keep their places."""
        moves = self._moves
        if len(moves) == 1:
            return moves
        *_, current = (place for at, place in moves if at <= count)
        self._moves = [(0, current), *((at - count, place) for at, place in moves if at > count)]
        return {at: place for at, place in moves if at < count}.items()

    def take_named(self) -> Iterator[tuple[Node, str | None]]:
        """Take out the values that have got a name, and are none of the nodes taken."""
        named, self._named = self._named, []
        yield from ((value, value._label) for value in named)
        if self._callers is not None:
            yield from self._callers.late_names()

    def _names(
        self, nodes: Sequence[Node], row: int | None, names: tuple[tuple[int, str], ...]
    ) -> tuple[tuple[int, str], ...]:
        """Return the names of nodes, by offset: labels, else these. Labels of others stay."""
        if not self._named:
            return names
        found = list(zip(offsets(self._named, nodes, row), self._named, strict=True))
        self._named = [value for offset, value in found if offset is None]
        labels = ((offset, v._label or "") for offset, v in found if offset is not None)
        return (*names, *labels)  # what comes later counts
