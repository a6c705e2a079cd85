"""Recognising a forward pass that is like an earlier one (`Template`).

Training makes the same graph again and again. Whether it did is a question of identity (is the
operand of the new node 7 the new node 3?), which a few C loops answer much faster than the graph
could be described again.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from operator import itemgetter
from sys import maxsize
from typing import NamedTuple, Protocol, TypeVar

from stepgrad.engine.node import Node
from stepgrad.engine.ops import Op
from stepgrad.engine.tape import Place
from stepgrad.recording.blocks import Forward
from stepgrad.recording.compiled import Recognise, recogniser
from stepgrad.recording.known import Known, first_of_row, same_values
from stepgrad.recording.structure import Context, Structure

T = TypeVar("T")

Names = tuple[tuple[int, str], ...]
"""The labels of nodes, by offset."""

Spot = tuple[int | None, str | None]
"""A line of a file."""


class Moves(NamedTuple):
    """What a pass is called, and from which offset on it was made at which place."""

    names: Names
    moves: Sequence[tuple[int, Place]]

    def part(self, first: int, last: int) -> Moves:
        """Return what is said of the nodes from `first` up to, not including, `last`."""
        *_, begun = (place for offset, place in self.moves if offset <= first)
        inside = ((at - first, place) for at, place in self.moves if first < at < last)
        return Moves(_part(self.names, first, last), [(0, begun), *inside])

    @property
    def key(self) -> tuple[object, ...]:
        """Something that is equal where this is equal, and can be a key."""
        return self.names, tuple(self.moves)

    def context(self, count: int) -> Context:
        """Return the context of this many nodes."""
        return Context.of(self.names, [*{at: p for at, p in self.moves if at < count}.items()])


class Spots(NamedTuple):
    """What a pass is called, and at which line and in which scope each node was made."""

    names: Names
    spots: Sequence[Spot]
    places: Sequence[Place]
    placed: Callable[[Place, Spot], Place]

    def part(self, first: int, last: int) -> Spots:
        """Return what is said of the nodes from `first` up to, not including, `last`."""
        names = _part(self.names, first, last)
        return Spots(names, self.spots[first:last], self.places[first:last], self.placed)

    @property
    def key(self) -> tuple[object, ...]:
        """Something that is equal where this is equal, and can be a key."""
        return self.names, self.spots, self.places

    def context(self, count: int) -> Context:
        """Return the context of this many nodes."""
        made = [*zip(self.places, self.spots, strict=True)]
        moved = (i for i in range(count) if i == 0 or made[i] != made[i - 1])
        return Context.of(self.names, [(i, self.placed(*made[i])) for i in moved])


WORTH_COMPILING = 100
"""How often a pass has been recognised when that is compiled."""

MOST_NODES = 10_000
"""Larger passes are not compiled: the program would have to wait for a second."""

_KEPT = 64  # contexts of a structure, which may take turns

Said = Moves | Spots


def _part(names: Names, first: int, last: int) -> Names:
    return tuple((offset - first, name) for offset, name in names if first <= offset < last)


class Pick(Protocol):
    """Picks some elements of a sequence, in an order of its own."""

    def __call__(self, values: Sequence[T], /) -> tuple[T, ...]:
        """Return them."""


class Made(NamedTuple):
    """A forward pass whose Values are at hand, with those from earlier passes that it uses."""

    forward: Forward
    nodes: Sequence[Node]
    outer: Sequence[Node]


class Template:
    """A structure, and what is known of the latest pass that had it.

    Args:
        structure: the structure.
        outer: the Values from earlier passes that the first such pass uses, newest first.
        earlier: the passes that they are of.
    """

    def __init__(
        self, structure: Structure, outer: Sequence[Node], earlier: tuple[Forward, ...]
    ) -> None:
        self.structure = structure
        self._stamps = [value._stamp for value in outer]
        self._earlier = earlier
        self._memory: tuple[list[Op], Pick, Pick] | None = None
        self._recognise: Recognise | None = None
        self._count = 0
        self.following: Template | None = None  # the one that came after it, the last time
        self._said: Said | None = None
        self._context: Context | None = None
        self._contexts: dict[object, Context] = {}

    def memorise(self, nodes: Sequence[Node], outer: Sequence[Node]) -> None:
        """Prepare for `fits`. It takes memory, which pays when the structure comes a third time."""
        if self._memory is None:
            operands = _operands(nodes)
            places = {id(value): place for place, value in enumerate((*nodes, *outer, None))}
            first = {id(operand): place for place, operand in reversed([*enumerate(operands)])}
            self._memory = (
                [node._operation for node in nodes],
                _pick([places[id(operand)] for operand in operands]),
                _pick([first[id(value)] for value in outer]),
            )

    def fits(self, nodes: Sequence[Node]) -> tuple[Sequence[Node], array[float] | None] | None:
        """Return which earlier Values these nodes use, if they are the same operations on them.

        Those are where the earlier ones were; whether they stand in passes alike is another
        question (`located`). With them comes the column of the nodes' numbers, if it is at hand.
        """
        if self._recognise is not None:
            return self._recognise(nodes)
        assert self._memory is not None, "it was memorised"
        operations, pick_operands, pick_outer = self._memory
        if [node._operation for node in nodes] != operations:
            return None
        operands = _operands(nodes)
        outer = pick_outer(operands)
        if not same_values(operands, pick_operands((*nodes, *outer, None))):
            return None
        self._count += 1
        if len(nodes) <= MOST_NODES and self._count in (1, WORTH_COMPILING):
            here = self._count == 1
            self._recognise = recogniser(self.structure, operations, here=here)
        return outer, None  # type: ignore[return-value]

    def located(
        self,
        outer: Sequence[Node],
        before: Made | None,
        known: Known,
        forward_of: Callable[[int], Forward],
    ) -> tuple[Forward, ...] | None:
        """Return the passes that earlier Values are of; None if they stand elsewhere in theirs.

        `before` is the latest pass in the log.

        Raises:
            KeyError: one of them is not in the log.
        """
        stamps = [value._stamp for value in outer]
        if stamps != self._stamps:
            earlier = self._moved(stamps, outer, before)
            if earlier is None:
                indices = [known[stamp] for stamp in stamps]
                earlier = self.structure.passes_of(indices, forward_of)
                if earlier is None:
                    return None
            self._stamps = stamps
            self._earlier = earlier
        return self._earlier

    def _moved(
        self, stamps: Sequence[int], outer: Sequence[Node], before: Made | None
    ) -> tuple[Forward, ...] | None:
        """Return the passes if only what the latest one has made is not what it was.

        That is usual where a step is recorded in several passes, and quickly seen.
        """
        if before is None or not self._earlier or before.forward in self._earlier[1:]:
            return None
        _, offsets, firsts = self.structure.located
        count = firsts[1] if len(firsts) > 1 else len(offsets)
        nodes = before.nodes
        if offsets[0] >= len(nodes) or stamps[count:] != self._stamps[count:]:
            return None
        for offset, value in zip(offsets[:count], outer, strict=False):
            if nodes[offset] is not value:
                return None
        return before.forward, *self._earlier[1:]

    def context(self, said: Said) -> Context:
        """Return what a pass is called and where it was made; the latest one, if that is equal."""
        if self._context is None or said != self._said:
            self._said, self._context = said, self._contexts.get(said.key)
            if self._context is None:
                if len(self._contexts) >= _KEPT:
                    self._contexts.clear()
                self._context = said.context(len(self.structure))
                self._contexts[said.key] = self._context
        return self._context


class Description(NamedTuple):
    """Nodes that will form a pass, as a structure has them.

    The Values from earlier passes are in the order of appearance; refs `~k` count them.
    """

    codes: bytes
    refs: Sequence[int]
    outer: Sequence[Node]

    @classmethod
    def of(cls, nodes: Sequence[Node]) -> Description:
        """Describe nodes."""
        row = first_of_row(nodes)
        first = maxsize if row is None else row
        named = {} if row is not None else {node._stamp: i for i, node in enumerate(nodes)}
        outer: list[Node] = []
        refs: list[int] = []
        note = refs.append
        for node in nodes:
            for operand in (node._first, node._second):
                if operand is not None:
                    stamp = operand._stamp
                    if stamp >= first:
                        note(stamp - first)
                    else:
                        ref = named.get(stamp)
                        if ref is None:
                            outer.append(operand)
                            ref = named[stamp] = -len(outer)
                        note(ref)
        return cls(bytes([node._operation.code for node in nodes]), refs, outer)

    def structure(
        self, known: Known, forward_of: Callable[[int], Forward]
    ) -> tuple[Structure, list[Node], tuple[Forward, ...]]:
        """Make a structure; return the earlier Values, newest first, and the passes they are of.

        Raises:
            KeyError: one of them is not in the log.
        """
        indices = [known[value._stamp] for value in self.outer]
        newest_first = sorted(range(len(indices)), key=indices.__getitem__, reverse=True)
        earlier: list[Forward] = []
        places = []
        for k in newest_first:
            if not earlier or indices[k] < earlier[-1].base:
                earlier.append(forward_of(indices[k]))
            places.append((len(earlier) - 1, indices[k] - earlier[-1].base))
        rank = {k: ~rank for rank, k in enumerate(newest_first)}
        named = [*range(len(self.codes)), *map(rank.__getitem__, reversed(range(len(indices))))]
        refs = array("i", map(named.__getitem__, self.refs))  # `~k` counts from the end
        structure = Structure(self.codes, refs, tuple(places))
        return structure, [self.outer[k] for k in newest_first], tuple(earlier)


def _operands(nodes: Sequence[Node]) -> tuple[Node | None, ...]:
    """Return the operands of nodes, in columns."""
    return (*[node._first for node in nodes], *[node._second for node in nodes])


def _pick(places: Sequence[int]) -> Pick:
    """Return a function that picks the elements at these places."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda values: tuple(values[place] for place in places)
