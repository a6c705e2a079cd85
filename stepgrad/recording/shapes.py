"""Recognising a pass that is like an earlier one.

Training makes the same graph again and again. Whether it did is a question of identity (is the
operand of the new node 7 the new node 3?), which a few C loops answer much faster than the graph
could be described again; then its description, and what takes part in its backward pass, are
already known.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import compress
from operator import is_, itemgetter
from sys import maxsize
from typing import NamedTuple, Protocol, TypeVar

from stepgrad.engine.backward import ancestors
from stepgrad.engine.node import Node
from stepgrad.engine.ops import CONSTANT, LEAF, OPS, Op
from stepgrad.engine.tape import Place
from stepgrad.recording.structure import Structure, index_to_ref
from stepgrad.recording.sweep import OwnSweep, Sweep, leaves_of

T = TypeVar("T")

_IDLE = 255
"""In place of the code of a node that does not take part."""


def _mask(codes: Iterable[int]) -> bytes:
    """Return a table for `bytes.translate`: 1 for these codes, 0 for others."""
    wanted = set(codes)
    return bytes(code in wanted for code in range(256))


_COMPUTED = _mask(op.code for op in OPS if op.partials)
_LEAVES, _CONSTANTS = _mask([LEAF.code]), _mask([CONSTANT.code])


class Pick(Protocol):
    """Picks some elements of a sequence, in an order of its own."""

    def __call__(self, values: Sequence[T], /) -> tuple[T, ...]:
        """Return them."""


class Context(NamedTuple):
    """What a shape has besides operations and edges: labels by offset, and places."""

    names: tuple[tuple[int, str], ...]
    places: tuple[tuple[int, Place], ...]

    def part(self, first: int, last: int) -> Context:
        """Return what belongs to the nodes from `first` up to, not including, `last`."""
        *_, begun = (place for offset, place in self.places if offset <= first)
        moves = ((o - first, place) for o, place in self.places if first < o < last)
        names = tuple((o - first, name) for o, name in self.names if first <= o < last)
        return Context(names, ((0, begun), *moves))


class _Outline(NamedTuple):
    """What makes nodes alike, column by column: their operations and operands."""

    operations: list[Op]
    firsts: list[Node | None]
    seconds: list[Node | None]

    @classmethod
    def of(cls, nodes: Sequence[Node]) -> _Outline:
        """Read it off the nodes."""
        return cls(
            [node._operation for node in nodes],
            [node._first for node in nodes],
            [node._second for node in nodes],
        )


class Participants(NamedTuple):
    """What takes part in a backward pass: computed nodes, newest first, and leaves."""

    sweep: Sweep
    order: Sequence[Node]
    leaves: Sequence[Node]


class Pass(NamedTuple):
    """A forward pass in the log, its nodes from index `base` on, and how backward goes from it.

    `earlier` holds the Values from earlier blocks that it uses, by ref.
    """

    structure: Structure
    base: int
    earlier: dict[int, Node]
    sweep: Sweep


@dataclass(eq=False, slots=True)
class Shape:
    """A structure together with the Values from earlier blocks that it uses, newest first."""

    structure: Structure
    outer: list[Node]
    _plans: dict[int, _Plan] = field(default_factory=dict)
    _memory: tuple[list[Op], Pick, Pick] | None = None

    @property
    def closed(self) -> bool:
        """Whether a pass through it ends in leaves: it uses no earlier results."""
        return all(value._operation is LEAF for value in self.outer)

    def memorise(self, nodes: Sequence[Node]) -> None:
        """Prepare for `fits`. It takes memory, which pays when the shape recurs a third time."""
        outline = _Outline.of(nodes)
        place = {id(value): number for number, value in enumerate(self._pool(nodes))}
        firsts, seconds = (
            _pick([place[id(operand)] for operand in column])
            for column in (outline.firsts, outline.seconds)
        )
        self._memory = outline.operations, firsts, seconds

    def fits(self, nodes: Sequence[Node]) -> bool:
        """Whether these nodes are the same operations on the same operands."""
        assert self._memory is not None, "it was memorised"
        operations, firsts, seconds = self._memory
        outline, pool = _Outline.of(nodes), self._pool(nodes)
        return (
            outline.operations == operations
            and same_values(outline.firsts, firsts(pool))
            and same_values(outline.seconds, seconds(pool))
        )

    def _pool(self, nodes: Sequence[Node]) -> list[Node | None]:
        """Return everything that may be an operand of these nodes."""
        return [*nodes, *self.outer, None]

    def participants(self, root: Node, nodes: list[Node], base: int, known: Known) -> Participants:
        """Return what takes part in a backward pass from `root`, if `nodes` are of this shape.

        `base` is the index of the first of them.
        """
        offset = known.index(root) - base
        plan = self._plans.get(offset)
        if plan is not None:
            computed, leaves = (pick(nodes) for pick in plan.picks)
            return Participants(plan.sweep, computed, [*leaves, *plan.outer_leaves])
        if offset >= 0 and root._first is not None and self.closed:
            return self._own_participants(offset, nodes, known)
        everybody = ancestors(root)
        ends = leaves_of(everybody, root)
        sweep = Sweep.of(everybody, ends, lambda node: index_to_ref(known.index(node), base))
        return Participants(sweep, everybody, ends)

    def _own_participants(self, offset: int, nodes: list[Node], known: Known) -> Participants:
        """Find the participants from the structure, without looking at the nodes."""
        reached, idle = self.structure.reached(offset)
        codes, outer_leaves = bytearray(self.structure.codes), self.outer
        for ref in idle:
            if ref >= 0:
                codes[ref] = _IDLE
        if idle and min(idle) < 0:
            outer_leaves = [value for value in self.outer if ~known.index(value) in reached]
        order = [*compress(nodes, codes.translate(_COMPUTED))]
        own_leaves = [*compress(nodes, codes.translate(_LEAVES))]
        constants = compress(range(len(codes)), codes.translate(_CONSTANTS))
        edges = reached.total() - 1 - sum(map(reached.__getitem__, constants))
        sweep = OwnSweep(self.structure, offset, edges)
        self._plans[offset] = _Plan(sweep, outer_leaves)
        return Participants(sweep, order[::-1], [*own_leaves[::-1], *outer_leaves])


@dataclass(eq=False)
class _Plan:
    """The participants of a backward pass, to be picked from the nodes of a forward pass."""

    sweep: OwnSweep
    outer_leaves: list[Node]

    @cached_property
    def picks(self) -> tuple[Pick, Pick]:
        """Pick computed nodes, and leaves of the block."""
        column, computed = self.sweep.refs, self.sweep.computed
        leaves = column[computed : len(column) - len(self.outer_leaves)]
        return _pick(column[:computed]), _pick(leaves)


def _pick(places: Sequence[int]) -> Pick:
    """Return a function that picks the elements at these places."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda values: tuple(values[place] for place in places)


def refs(nodes: Sequence[Node], known: Known) -> tuple[array[int], list[Node]]:
    """Return what refs name the operands of nodes that will form a block, one after the other.

    The second list has the operands that are already in the log, each once, newest first.

    Raises:
        KeyError: an operand is neither among the nodes nor in the log.
    """
    row = _first_of_row(nodes)
    first = maxsize if row is None else row
    named = {} if row is not None else {node._stamp: i for i, node in enumerate(nodes)}
    outer: dict[int, Node] = {}
    found: list[int] = []
    note = found.append
    for node in nodes:
        for operand in (node._first, node._second):
            if operand is not None:
                stamp = operand._stamp
                if stamp >= first:
                    note(stamp - first)
                else:
                    ref = named.get(stamp)
                    if ref is None:
                        ref = named[stamp] = ~known[stamp]
                        outer[ref] = operand
                    note(ref)
    return array("i", found), [outer[ref] for ref in sorted(outer)]


def offsets(values: Iterable[Node], nodes: Sequence[Node]) -> list[int | None]:
    """Return where among `nodes` these values are; None for one that is not there."""
    first = _first_of_row(nodes)
    if first is not None:
        places = (value._stamp - first for value in values)
        return [place if 0 <= place < len(nodes) else None for place in places]
    own = {node._stamp: offset for offset, node in enumerate(nodes)}
    return [own.get(value._stamp) for value in values]


def _first_of_row(nodes: Sequence[Node]) -> int | None:
    """Return the stamp of the first node, if the others were made right after it, in this order.

    They were not if they were unlogged, or another thread or recording made values in between.
    """
    stamps = [node._stamp for node in nodes]
    without_gap = stamps[-1] - stamps[0] + 1 == len(stamps)
    return stamps[0] if without_gap and stamps == sorted(stamps) else None


class Known(dict[int, int]):
    """Where in the log a Value is: its index, by stamp. Values that are not logged are missing.

    Runs of Values are kept as such. The index of one is worked out, and kept, when it is asked for:
    that of a parameter, or of what a program keeps from an earlier pass.
    """

    def __init__(self) -> None:
        self._runs: list[tuple[int, int, int]] = []

    def __missing__(self, stamp: int) -> int:
        run = bisect_right(self._runs, stamp, key=lambda run: run[0]) - 1
        if run >= 0:
            first, count, base = self._runs[run]
            if stamp < first + count:
                return self.setdefault(stamp, base + stamp - first)
        raise KeyError(stamp)

    def index(self, value: Node) -> int:
        """Return a Value's index in the recording.

        Raises:
            KeyError: the value is not in the log.
        """
        return self[value._stamp]

    def has(self, value: Node) -> bool:
        """Whether a Value is in the log."""
        try:
            return self[value._stamp] >= 0
        except KeyError:
            return False

    def add(self, nodes: Sequence[Node], base: int) -> None:
        """Add nodes, in the order in which they were made, from index `base` on."""
        first = _first_of_row(nodes)
        if first is not None and (not self._runs or self._runs[-1][0] < first):
            self._runs.append((first, len(nodes), base))
        else:
            self.update((node._stamp, base + i) for i, node in enumerate(nodes))


def unlogged(values: Iterable[Node], known: Known, pending: Sequence[Node]) -> list[Node]:
    """Return those Values that are in neither, with all they were made from, oldest first."""
    found = {value._stamp for value in pending}
    new: list[Node] = []
    stack = list(values)
    while stack:
        value = stack.pop()
        if value._stamp not in found and not known.has(value):
            found.add(value._stamp)
            new.append(value)
            stack.extend(value._operands)
    return sorted(new, key=lambda value: value._stamp)


def same_values(some: Sequence[Node | None], others: Sequence[Node | None]) -> bool:
    """Whether they are the same Values, one for one, whatever `==` means for them."""
    return len(some) == len(others) and all(map(is_, some, others))
