"""Structures, sweeps and writes, from what a file says of them."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, compress, count, pairwise, repeat
from operator import gt, sub
from typing import NamedTuple, TypeVar, get_args

from stepgrad.engine.ops import BY_NAME, CONSTANT, Op
from stepgrad.engine.tape import Place, Rule, WriteKind
from stepgrad.recording.blocks import Write
from stepgrad.recording.recording import Recording
from stepgrad.recording.store.columns import Damaged, Named, Packed, unpack
from stepgrad.recording.store.fields import Fields, as_pairs, pick
from stepgrad.recording.structure import Structure, index_to_ref
from stepgrad.recording.sweep import Sweep, Writes


class Newer(Damaged):
    """A file says what only a later version of stepgrad understands."""


_T = TypeVar("_T")


def take_next(left: Iterator[_T]) -> _T:
    """Take the next of what a file has, which has to be there."""
    for each in left:
        return each
    raise Damaged("it has fewer parts than it should have")


class Pieces:
    """The pieces of a file, to be taken in order. Each method raises `Damaged` if it cannot be."""

    def __init__(self, lengths: Sequence[int], content: memoryview) -> None:
        if min(lengths, default=1) < 1 or sum(lengths) != len(content):
            raise Damaged("its columns are not as long as they should be")
        ends = list(accumulate(lengths, initial=0))
        self._left = (content[begin:end] for begin, end in pairwise(ends))

    def take(self) -> memoryview:
        """Take the next piece."""
        return take_next(self._left)

    def integers(self, count: int) -> array[int]:
        """Take a piece of so many integers."""
        return unpack(self.take(), "q", 1, count)[0]

    def indices(self, count: int) -> array[int]:
        """Take a piece of integers that are given by their differences."""
        try:
            return array("q", accumulate(self.integers(count)))
        except OverflowError:
            raise Damaged("an index in it is out of range") from None

    def end(self) -> None:
        """Make sure that none is left."""
        if next(self._left, None) is not None:
            raise Damaged("it has more columns than it should have")


class WriteTemplate(NamedTuple):
    """Writes, and the rule that they follow: its method, and the names of what it is made of.

    Their columns have first an entry for each write, then the numbers of the rule, then what it
    remembers: an entry for each write, name by name.
    """

    writes: Writes
    method: str | None = None
    numbers: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()

    @classmethod
    def of(cls, block: Write) -> WriteTemplate:
        """Describe a block of writes."""
        rule = block.rule
        if rule is None:
            return cls(block.writes)
        return cls(block.writes, rule.method, tuple(rule.numbers), tuple(rule.columns))

    @property
    def width(self) -> int:
        """How many entries a column has."""
        return len(self.writes.nodes) * (1 + len(self.columns)) + len(self.numbers)

    def column(self, block: Write) -> array[float]:
        """Return everything that such a block says, in one column."""
        column = array("d", block.after[:])
        if block.rule is not None:
            column.extend(block.rule.numbers.values())
            for remembered in block.rule.columns.values():
                column.extend(remembered)
        return column

    def block(self, start: int, column: Packed) -> Write:
        """Return the block that has such a column."""
        count = len(self.writes.nodes)
        return Write(start, self.writes, column.part(0, count), self._rule(column, count))

    def _rule(self, column: Packed, count: int) -> Rule | None:
        if self.method is None:
            return None
        at = count + len(self.numbers)
        numbers = Named(self.numbers, column.part(count, at))
        remembered = {
            name: column.part(at + i * count, at + (i + 1) * count)
            for i, name in enumerate(self.columns)
        }
        return Rule(self.method, numbers, remembered)


class SweepEntry(NamedTuple):
    """What a file says of a sweep: its nodes. The edges follow from their operands."""

    refs: array[int]
    computed: int

    def sweep(self, recording: Recording, structure: Structure, base: int) -> Sweep:
        """Return the sweep, over nodes of a recording whose latest block has this structure.

        Raises:
            Damaged: no backward pass goes so.
        """
        refs, column = self.refs, {ref: place for place, ref in enumerate(self.refs)}
        if len(column) < len(refs) or max(refs) >= len(structure) or ~min(refs) >= base:
            raise Damaged("a backward pass reaches a node twice, or one that there is not")

        def op(ref: int) -> Op:
            return structure.op(ref) if ref >= 0 else recording.node(~ref).op

        def operands(ref: int) -> Sequence[int]:
            if ref >= 0:
                return structure.operands(ref)
            return [index_to_ref(operand, base) for operand in recording.node(~ref).operands]

        # Whole columns at once, with an entry for each edge: there may be millions.
        used = [operands(ref) for ref in refs[: self.computed]]
        counts = list(map(len, used))
        edges = list(chain.from_iterable(used))
        receivers = [column.get(operand, -1) for operand in edges]
        walked = [receiver >= 0 for receiver in receivers]
        outs = array("q", compress(chain.from_iterable(map(repeat, count(), counts)), walked))
        slots = bytes(compress(chain.from_iterable(map(range, counts)), walked))
        ends = array("q", compress(receivers, walked))
        if not all(map(gt, ends, outs)):
            raise Damaged("a backward pass goes back and forth")
        skipped = {operand for operand, known in zip(edges, walked, strict=True) if not known}
        if any(op(operand) is not CONSTANT for operand in skipped):
            raise Damaged("a backward pass leaves an operand out")
        leaves = set(map(op, refs[self.computed :]))
        if any(each.partials for each in leaves) or (self.computed and CONSTANT in leaves):
            raise Damaged("a backward pass ends in a node that is no leaf")
        return Sweep(refs, self.computed, outs, slots, ends)


@dataclass(frozen=True, slots=True)
class Shapes:
    """All shapes of a file.

    `latest_outer` is the highest index among the outer operands of each structure, and
    `latest_written` that of the nodes of each run of writes; -1 where there is none.
    """

    structures: Sequence[Structure]
    latest_outer: Sequence[int]
    reached: Sequence[SweepEntry]
    writes: Sequence[WriteTemplate]
    latest_written: Sequence[int]

    @classmethod
    def read(cls, manifest: Fields, pieces: Pieces) -> Shapes:
        """Read them.

        Raises:
            Damaged: one of them cannot be.
        """
        structures = _structures(manifest, pieces)
        reached, writes = _reached(manifest, pieces), _writes(manifest, pieces)
        return cls(
            structures,
            [~min(structure.refs, default=0) for structure in structures],
            reached,
            writes,
            [max(each.writes.nodes) for each in writes],
        )

    @property
    def widths(self) -> Mapping[str, Sequence[int]]:
        """How long the columns of each shape are, by kind of block."""
        return {
            "forward": [len(structure) for structure in self.structures],
            "dual": [2 * len(structure) for structure in self.structures],
            "backward": [len(each.refs) for each in self.reached],
            "write": [each.width for each in self.writes],
        }


def _structures(manifest: Fields, pieces: Pieces) -> list[Structure]:
    """Return the structures of a file."""
    ops = [_op(name, count) for name, count in manifest.pairs("ops", str, int)]
    names = [dict(as_pairs("names", pairs, int, str)) for pairs in manifest.all("names", list)]
    places = _places(manifest)
    structures = []
    for entry in manifest.objects("structures"):
        nodes = entry.count("nodes")
        made = [pick("ops", ops, code) for code in pieces.integers(nodes)]
        named = pick("names", names, entry.get("names", int))
        moves = _moves(entry, places)
        if not moves or moves[0][0] != 0:
            raise Damaged("it does not say where a node was made")
        if named and not 0 <= min(named) <= max(named) < nodes:
            raise Damaged("a name in it is for a node that there is not")
        structures.append(
            Structure(
                bytes(op.code for op in made),
                _refs(made, pieces),
                named,
                moves,
            )
        )
    return structures


def _places(manifest: Fields) -> list[Place]:
    return [
        Place(place.get("scope", str), place.maybe("line", int), place.maybe("file", str))
        for place in manifest.objects("places")
    ]


def _moves(entry: Fields, places: Sequence[Place]) -> tuple[tuple[int, Place], ...]:
    """Return from which offset on something happened at which place."""
    moves = entry.pairs("places", int, int)
    starts = [offset for offset, _ in moves]
    if starts != sorted(starts):
        raise Damaged("it goes from place to place, and back in time")
    return tuple((offset, pick("places", places, place)) for offset, place in moves)


def _op(name: str, operands: int) -> Op:
    op = BY_NAME.get(name)
    if op is None or len(op.partials) != operands:
        raise Newer(f"it uses an operation `{name}` of {operands} operands")
    return op


def _refs(made: Sequence[Op], pieces: Pieces) -> array[int]:
    """Return the operands of all nodes: in the file, those of the same block are so far back."""
    counts = [len(op.partials) for op in made]
    back = pieces.integers(sum(counts))
    outer = pieces.indices(back.count(0))
    offsets = chain.from_iterable(map(repeat, range(len(made)), counts))
    after = "an operand comes after what is made of it"
    if min(back, default=0) < 0:  # of which the difference may be too big for an array
        raise Damaged(after)
    refs = array("q", map(sub, offsets, back))
    if min(refs, default=0) < 0 or min(outer, default=0) < 0:
        raise Damaged(after)
    elsewhere = (place for place, distance in enumerate(back) if not distance)
    for place, index in zip(elsewhere, outer, strict=True):
        refs[place] = ~index
    return refs


def _reached(manifest: Fields, pieces: Pieces) -> list[SweepEntry]:
    """Return the sweeps of a file."""
    sweeps = []
    for entry in manifest.objects("sweeps"):
        refs, computed = pieces.indices(entry.count("nodes")), entry.get("computed", int)
        if not 0 <= computed <= len(refs):
            raise Damaged("a backward pass computes more nodes than it reaches")
        sweeps.append(SweepEntry(refs, computed))
    return sweeps


def _writes(manifest: Fields, pieces: Pieces) -> list[WriteTemplate]:
    """Return the runs of writes of a file."""
    known: dict[str, WriteKind] = {kind: kind for kind in get_args(WriteKind)}
    kinds = manifest.all("kinds", str)
    if unknown := set(kinds) - set(known):
        raise Newer(f"it has writes of the kind `{min(unknown)}`")
    places = _places(manifest)
    shapes: dict[object, Writes] = {}
    writes = []
    for entry in manifest.objects("writes"):
        width = entry.count("nodes")
        codes, nodes = pieces.integers(width), pieces.indices(width)
        if min(nodes) < 0:
            raise Damaged("it writes to a node that there is not")
        # Files from before lines of writes were kept have no word of them.
        moves = () if entry.maybe("places", list) is None else _moves(entry, places)
        key = tuple(known[pick("kinds", kinds, code)] for code in codes), tuple(nodes), moves
        shape = shapes.setdefault(key, Writes(*key))
        numbers, columns = (tuple(entry.all(of, str)) for of in ("numbers", "columns"))
        method = entry.maybe("method", str)
        names = numbers + columns
        if len(set(names)) < len(names) or (names and not method):
            raise Damaged("a rule in it is of no method, or has a name twice")
        writes.append(WriteTemplate(shape, method, numbers, columns))
    return writes
