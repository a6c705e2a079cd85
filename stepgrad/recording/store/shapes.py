"""Reading the structures, contexts, sweeps and writes of a file."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Any, TypeVar, get_args

from stepgrad.engine.ops import BY_NAME, Op
from stepgrad.engine.own import row
from stepgrad.engine.tape import Place, WriteKind
from stepgrad.progress import advance
from stepgrad.recording.foreign.sweep import ForeignSweep
from stepgrad.recording.store import walks
from stepgrad.recording.store.form import pick
from stepgrad.recording.store.packing import Damaged, unpack
from stepgrad.recording.store.refs import refs_of
from stepgrad.recording.structure import Context, Structure
from stepgrad.recording.sweep import Stretch, Sweep, stretched
from stepgrad.recording.writes import Writes

Manifest = Mapping[str, Any]
"""A manifest, or an object in it, in its form."""


class Newer(Damaged):
    """A file holds something that only a later version of stepgrad can read."""


_T = TypeVar("_T")


def take_next(left: Iterator[_T]) -> _T:
    """Take the next of what a file has, which has to be there."""
    for each in left:
        return each
    raise Damaged("it has fewer parts than it should have")


class Pieces:
    """The pieces of a file, to be taken in order. Each method raises `Damaged` if it cannot be."""

    def __init__(self, lengths: Sequence[int], content: memoryview) -> None:
        if min(lengths, default=2) < 2 or sum(lengths) != len(content):
            raise Damaged("its columns are not as long as they should be")
        ends = list(accumulate(lengths, initial=0))
        self._left = (content[begin:end] for begin, end in pairwise(ends))

    def take(self) -> memoryview:
        """Take the next piece."""
        return take_next(self._left)

    def integers(self, counts: Sequence[int]) -> Iterator[array[int]]:
        """Take a piece of rows of integers, this many in each."""
        together = unpack(self.take(), "q", 1, sum(counts))[0]
        ends = accumulate(counts, initial=0)
        return (together[begin:end] for begin, end in pairwise(ends))

    def end(self) -> None:
        """Make sure that none is left."""
        if next(self._left, None) is not None:
            raise Damaged("it has more columns than it should have")


@dataclass(frozen=True, slots=True)
class Shapes:
    """All shapes of a file."""

    structures: Sequence[Structure]
    contexts: Sequence[Context]
    sweeps: Sequence[Sweep]
    walks: Sequence[ForeignSweep]
    writes: Sequence[Writes]

    @classmethod
    def read(cls, manifest: Manifest, pieces: Pieces) -> Shapes:
        """Read them; reports its progress.

        Raises:
            Damaged: one of them cannot be.
        """
        structures = _structures(manifest, pieces)
        advance(1, 2)
        contexts = _contexts(manifest)
        sweeps = _sweeps(manifest, pieces, structures)
        entries, places = manifest["walks"] or (), places_of(manifest)
        found = walks.read(entries, pieces.integers, structures, places)
        advance(1, 1)
        return cls(structures, contexts, sweeps, found, _writes(manifest, pieces))

    @property
    def widths(self) -> Mapping[str, Sequence[int]]:
        """How long the columns of each shape are, by kind of block."""
        return {
            "forward": [len(each) + each.stored for each in self.structures],
            "dual": [2 * len(each) + each.stored for each in self.structures],
            "backward": [sweep.width for sweep in self.sweeps],
            "foreign": [walk.numbers for walk in self.walks],
            "write": [writes.width for writes in self.writes],
        }

    @property
    def links(self) -> Mapping[str, Sequence[int]]:
        """How many integers the links of a block have, for each shape, by kind of block."""
        making = [1 + len(structure.firsts) for structure in self.structures]
        return {
            "forward": making,
            "dual": making,
            "backward": [1] * len(self.sweeps),
            "foreign": [len(walk.structures) for walk in self.walks],
        }


def _structures(manifest: Manifest, pieces: Pieces) -> list[Structure]:
    """Return the structures of a file."""
    ops, own = manifest["ops"], dict(manifest["own"] or ())
    for number, (name, operands) in enumerate(ops):
        if number not in own:
            _op(name, operands)
        elif operands < 1:
            raise Damaged(f"an operation in it has {operands} operands")
    entries = manifest["structures"]
    codes = [*pieces.integers(_counts(entries))]
    used = set().union(*codes)
    arity = {code: pick("ops", ops, code)[1] for code in used}
    counts = [[*map(arity.__getitem__, each)] for each in codes]
    refs = [*pieces.integers([*map(sum, counts)])]
    # Only now is it sure that nodes have as many operands as these operations say.
    ops = {code: row(*ops[code], by=own[code]) if code in own else _op(*ops[code]) for code in used}
    numbers = {code: op.code for code, op in ops.items()}
    stored = {code for code, op in ops.items() if op.stored}
    outer = [entry["outer"] for entry in entries]
    if min(outer, default=0) < 0:
        raise Damaged("a pass uses less than nothing of others")
    passes, offsets = pieces.integers(outer), pieces.integers(outer)
    return [
        Structure(
            bytes(map(numbers.__getitem__, each)),
            refs_of(arities, back, used),
            *_outer(next(passes), next(offsets)),
            tuple(map(ops.__getitem__, filter(stored.__contains__, each))) if stored else (),
        )
        for each, arities, back, used in zip(codes, counts, refs, outer, strict=True)
    ]


def _counts(entries: Sequence[Manifest]) -> Sequence[int]:
    """Return how many nodes or writes each shape has; at least one."""
    counts = [entry["nodes"] for entry in entries]
    if min(counts, default=1) < 1:
        raise Damaged(f"`nodes` is {min(counts)}")
    return counts


def _op(name: str, operands: int) -> Op:
    op = BY_NAME.get(name)
    if op is None or len(op.partials) != operands:
        raise Newer(f"it uses an operation `{name}` of {operands} operands")
    return op


def _outer(passes: array[int], offsets: array[int]) -> tuple[array[int], array[int]]:
    """Return the operands from other passes, which have to be in order: newest first."""
    before = -1, 0
    for number, offset in zip(passes, offsets, strict=True):
        same = number == before[0]
        if offset < 0 or not (offset < before[1] if same else number == before[0] + 1):
            raise Damaged("operands of other passes are not in order")
        before = number, offset
    try:
        return array("i", passes), array("i", offsets)
    except OverflowError:
        raise Damaged("an operand in it is of no pass") from None


def _contexts(manifest: Manifest) -> list[Context]:
    """Return what passes are called, and where they were made."""
    places = places_of(manifest)
    contexts = []
    for entry in manifest["contexts"]:
        moves = _moves(entry, places)
        if not moves or moves[0][0] != 0:
            raise Damaged("it does not say where a node was made")
        contexts.append(Context.of(entry["names"], moves))
    return contexts


def places_of(manifest: Manifest) -> list[Place]:
    """Return the places of a file."""
    return [Place(**place) for place in manifest["places"]]


def _moves(entry: Manifest, places: Sequence[Place]) -> tuple[tuple[int, Place], ...]:
    """Return from which offset on something happened at which place."""
    moves = entry["places"]
    starts = [offset for offset, _ in moves]
    if starts != sorted(starts):
        raise Damaged("it goes from place to place, and back in time")
    return tuple((offset, pick("places", places, place)) for offset, place in moves)


def _sweeps(manifest: Manifest, pieces: Pieces, structures: Sequence[Structure]) -> list[Sweep]:
    """Return the sweeps of a file."""
    sweeps = []
    for entry in manifest["sweeps"]:
        over = tuple(pick("structures", structures, n) for n in entry["over"])
        links = tuple(None if row is None else tuple(row) for row in entry["links"])
        ordered = entry["ordered"]
        order: tuple[Stretch, ...] | None = None
        if ordered > 0:
            numbers, offsets = pieces.integers([ordered, ordered])
            order = stretched(zip(numbers, offsets, strict=True))
        root = entry["root"]
        if len(links) != len(over) or not over or not 0 <= root < len(over[0]):
            raise Damaged("a backward pass starts from a node that does not exist")
        try:
            sweep = Sweep.walked(over, links, root)
        except ValueError as error:
            raise Damaged(str(error)) from None
        if order is not None:
            usual = {(number, each) for number, some in sweep.computed_nodes for each in some}
            given = [(number, each) for number, some in order for each in some]
            if len(given) != len(usual) or {*given} != usual:
                raise Damaged("a backward pass computes other nodes than it reaches")
            sweep = replace(sweep, order=order)
        sweeps.append(sweep)
    return sweeps


def _writes(manifest: Manifest, pieces: Pieces) -> list[Writes]:
    """Return the runs of writes of a file."""
    known: dict[str, WriteKind] = {kind: kind for kind in get_args(WriteKind)}
    kinds = manifest["kinds"]
    if unknown := set(kinds) - set(known):
        raise Newer(f"it has writes of the kind `{min(unknown)}`")
    places = places_of(manifest)
    entries = manifest["writes"]
    widths = _counts(entries)
    codes, steps = pieces.integers(widths), pieces.integers(widths)
    writes = []
    for entry in entries:
        written = tuple(known[pick("kinds", kinds, code)] for code in next(codes))
        nodes = tuple(accumulate(next(steps)))
        if min(nodes) < 0:
            raise Damaged("it writes to a node that does not exist")
        numbers, columns = tuple(entry["numbers"]), tuple(entry["columns"])
        method = entry["method"]
        names = numbers + columns
        if len(set(names)) < len(names) or (names and not method):
            raise Damaged("a rule in it is of no method, or has a name twice")
        moves = _moves(entry, places)
        writes.append(Writes(written, nodes, moves, method, numbers, columns))
    return writes
