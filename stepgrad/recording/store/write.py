"""From a recording to the contents of its file: a manifest, and the pieces that it counts.

`store/__init__.py` describes the format.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import chain
from operator import index, sub
from typing import Any

from stepgrad.engine.ops import OPS
from stepgrad.engine.own import OwnOp
from stepgrad.progress import Work
from stepgrad.recording.blocks import Backward, Forward, Marked, Write
from stepgrad.recording.foreign.sweep import ForeignBackward, ForeignSweep
from stepgrad.recording.log import Log
from stepgrad.recording.store import walks
from stepgrad.recording.store.packing import pack, passes_in_piece
from stepgrad.recording.store.refs import distances
from stepgrad.recording.structure import Context, Structure
from stepgrad.recording.sweep import Sweep
from stepgrad.recording.writes import Writes

_LONGEST_PERIOD = 64  # the most blocks of a training step that is stored once

_Columns = list[Sequence[float]]
_Links = list[Sequence[int]]
_Shape = Structure | Sweep | Writes | str
_Token = tuple[str, _Shape]
"""The kind of a block, and its shape; for a mark, what begins."""


class _Numbers(dict[Any, int]):
    """Things, each once, and their numbers. One that is new gets the next."""

    def __missing__(self, thing: object) -> int:
        self[thing] = number = len(self)
        return number


@dataclass(slots=True)
class _Sorted:
    """The blocks of a log, sorted: their shapes, columns and links, names and marks."""

    tokens: list[_Token] = field(default_factory=list)
    structures: dict[Structure, None] = field(default_factory=dict)
    sweeps: dict[Sweep, None] = field(default_factory=dict)
    walks: dict[ForeignSweep, None] = field(default_factory=dict)
    writes: dict[Writes, None] = field(default_factory=dict)
    columns: dict[_Token, _Columns] = field(default_factory=dict)
    links: dict[_Token, _Links] = field(default_factory=dict)
    contexts: _Numbers = field(default_factory=_Numbers)
    marks: _Numbers = field(default_factory=_Numbers)
    numbers: list[int | None] = field(default_factory=list)

    @classmethod
    def of(cls, log: Log) -> _Sorted:
        found = cls()
        passes: dict[Forward, int] = {}
        contexts: dict[Context, int] = {}
        for block in log.blocks:
            token: _Token
            match block:
                case Forward(context=context):
                    structure = block.structure
                    found.structures[structure] = None
                    if context not in contexts:
                        content = tuple(context.names.items()), tuple(context.places)
                        contexts[context] = found.contexts[content]
                    links = [contexts[context], *map(passes.__getitem__, block.earlier)]
                    passes[block] = len(passes)
                    token = "forward" if block.tangents is None else "dual", structure
                    column = block.values
                    if block.stored or block.tangents is not None:
                        tangents = block.tangents or ()
                        column = array("d", (*block.values, *block.stored, *tangents))
                    found.links.setdefault(token, []).append(links)
                    found.columns.setdefault(token, []).append(column)
                case ForeignBackward(sweep=walk):
                    found.walks[walk] = None
                    token = "foreign", walk
                    back = [len(passes) - 1 - passes[each] for each in block.over]
                    found.links.setdefault(token, []).append(back)
                    found.columns.setdefault(token, []).append(block.after)
                case Backward(sweep=sweep):
                    found.sweeps[sweep] = None
                    token = "backward", sweep
                    back = [len(passes) - 1 - passes[block.over[0]]]
                    found.links.setdefault(token, []).append(back)
                    found.columns.setdefault(token, []).append(block.grads)
                case Write(writes=writes):
                    found.writes[writes] = None
                    token = "write", writes
                    flat = writes.flat(block.after, block.rule)
                    found.columns.setdefault(token, []).append(flat)
                case Marked():
                    token = "mark", block.kind
                    _ = found.marks[block.kind]
                    found.numbers.append(None if block.number is None else index(block.number))
            found.tokens.append(token)
        return found

    def of_kinds(self, found: Mapping[_Token, Any]) -> Iterator[Any]:
        """Yield what was found, in the order of the file."""
        shapes: tuple[tuple[str, Iterable[_Shape]], ...] = (
            ("forward", self.structures),
            ("dual", self.structures),
            ("backward", self.sweeps),
            ("foreign", self.walks),
            ("write", self.writes),
        )
        for kind, each in shapes:
            yield from (found[kind, shape] for shape in each if (kind, shape) in found)


def describe(log: Log) -> tuple[dict[str, Any], list[bytes]]:
    """Return the manifest of a log, and its pieces in order.

    Raises:
        TypeError: something in it is of no type that a file can hold.
    """
    found = _Sorted.of(log)
    ops, places, kinds = _Numbers(), _Numbers(), _Numbers()
    columns = [*found.of_kinds(found.columns)]
    work = Work(
        sum(len(each.refs) for each in found.structures)
        + sum(len(each) * len(each[0]) for each in columns)
    )
    pieces = [
        *_structures(found.structures, ops, work),
        *_orders(found.sweeps),
        *(_integers(walks.integers(walk)) for walk in found.walks),
        *_written(found.writes, kinds),
        *_packed([*found.of_kinds(found.links)], "q", Work(0)),
        *_packed(columns, "d", work),
    ]
    structures = {structure: i for i, structure in enumerate(found.structures)}
    manifest = {
        "title": log.title,
        "sources": [asdict(source) for source in log.sources.values()],
        "ops": [[op.name, len(op.partials)] for op in ops],
        "own": [[number, op.by] for op, number in ops.items() if isinstance(op, OwnOp)],
        "structures": [
            {"nodes": len(structure), "outer": len(structure.outer_offsets)}
            for structure in found.structures
        ],
        "contexts": [
            {"names": names, "places": _moves(moves, places)} for names, moves in found.contexts
        ],
        "sweeps": [*_sweeps(found, structures)],
        "walks": [*walks.described(found.walks, structures, places.__getitem__)],
        "kinds": list(kinds),
        "writes": [*_writes(found, places)],
        "remarks": [remark._asdict() | {"place": places[remark.place]} for remark in log.remarks],
        "places": [asdict(place) for place in places],
        "marks": list(found.marks),
        "blocks": _blocks(found),
        "numbers": found.numbers,
        "labels": list(log.labels.items()),
        "spent": log.spent,
        "world": None if log.world is None else str(log.world),
        "pieces": [len(piece) for piece in pieces],
    }
    return manifest, pieces


def _sweeps(found: _Sorted, numbers: Mapping[Structure, int]) -> Iterator[dict[str, Any]]:
    for sweep in found.sweeps:
        yield {
            "over": [numbers[structure] for structure in sweep.structures],
            "links": sweep.links,
            "root": sweep.root,
            "ordered": 0 if sweep.order is None else sweep.computed,
        }


def _writes(found: _Sorted, places: _Numbers) -> Iterator[dict[str, Any]]:
    for writes in found.writes:
        yield {
            "nodes": len(writes.nodes),
            "places": _moves(writes.places, places),
            "method": writes.method,
            "numbers": writes.numbers,
            "columns": writes.columns,
        }


def _moves(moves: Sequence[tuple[int, Any]], places: _Numbers) -> list[list[int]]:
    return [[offset, places[place]] for offset, place in moves]


def _integers(numbers: Iterable[int]) -> bytes:
    return pack([array("q", numbers)])


def _structures(structures: Collection[Structure], ops: _Numbers, work: Work) -> Iterator[bytes]:
    """Yield the pieces of structures: operations, operands, and those from other passes."""
    yield _integers(chain.from_iterable(_codes(structure, ops) for structure in structures))
    back = array("q")
    for each in chain.from_iterable(map(distances, structures)):
        back.extend(each)
        work.did(len(each))
    yield pack([back])
    yield _integers(chain.from_iterable(each.outer_passes for each in structures))
    yield _integers(chain.from_iterable(each.outer_offsets for each in structures))


def _codes(structure: Structure, ops: _Numbers) -> Iterable[int]:
    """Return the number of the operation of each node."""
    if structure.own:
        return map(ops.__getitem__, structure.ops)
    numbers = {code: ops[OPS[code]] for code in dict.fromkeys(structure.codes)}
    return map(numbers.__getitem__, structure.codes)


def _orders(sweeps: Iterable[Sweep]) -> Iterator[bytes]:
    """Yield the pieces of sweeps that are in an order of their own."""
    for sweep in sweeps:
        if sweep.order is not None:
            computed = sweep.computed
            yield _integers(chain(sweep.passes[:computed], sweep.offsets[:computed]))


def _written(writes: Iterable[Writes], kinds: _Numbers) -> Iterator[bytes]:
    """Yield the pieces of writes: their kinds and their nodes."""
    yield _integers(kinds[kind] for each in writes for kind in each.kinds)
    # Indices go up in small steps.
    yield _integers(
        step for each in writes for step in map(sub, each.nodes, chain((0,), each.nodes))
    )


def _packed(
    streams: Iterable[Sequence[Sequence[Any]]], typecode: str, work: Work
) -> Iterator[bytes]:
    """Yield the pieces of all columns."""
    for columns in streams:
        width = len(columns[0])
        together = passes_in_piece(width)
        for first in range(0, len(columns), together):
            piece = columns[first : first + together]
            yield pack([array(typecode, column[:]) for column in piece])
            work.did(len(piece) * width)


def _blocks(found: _Sorted) -> list[tuple[int, list[tuple[str, int]]]]:
    """Return the blocks as runs: how often a period comes, and its blocks by kind and number."""
    number: dict[_Shape, int] = {
        shape: i
        for shapes in (found.structures, found.sweeps, found.walks, found.writes, found.marks)
        for i, shape in enumerate(shapes)
    }
    return [
        (count, [(kind, number[shape]) for kind, shape in period])
        for count, period in _runs(found.tokens)
    ]


def _runs(tokens: Sequence[_Token]) -> Iterator[tuple[int, Sequence[_Token]]]:
    """Divide into runs: what comes several times in a row, and what does not."""
    at = loose = 0
    while at < len(tokens):
        period = _period(tokens, at)
        if not period:
            at += 1
            continue
        if loose < at:
            yield 1, tokens[loose:at]
        repeated, first = tokens[at : at + period], at
        while tokens[at : at + period] == repeated:
            at += period
        yield (at - first) // period, repeated
        loose = at
    if loose < at:
        yield 1, tokens[loose:at]


def _period(tokens: Sequence[_Token], at: int) -> int:
    """Return how many blocks from here on come again right after, or 0."""
    for period in range(1, min(_LONGEST_PERIOD, (len(tokens) - at) // 2) + 1):
        middle = at + period
        if tokens[at] == tokens[middle] and tokens[at:middle] == tokens[middle : middle + period]:
            return period
    return 0
