"""From a recording to what stands in its file: a manifest, and the pieces that it counts.

`store` tells the format.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import chain, repeat
from operator import index, sub
from typing import Any

from stepgrad.engine.ops import OPS
from stepgrad.progress import advance
from stepgrad.recording.blocks import Backward, Forward, Marked, Write
from stepgrad.recording.recording import Recording
from stepgrad.recording.store.columns import pack, passes_in_piece
from stepgrad.recording.store.shapes import Ruled
from stepgrad.recording.structure import Structure, ref_to_index
from stepgrad.recording.sweep import Sweep

_LONGEST_PERIOD = 64  # so many blocks a training step may have, to be stored once

_Columns = list[Sequence[float]]
_Token = tuple[str, Structure | Sweep | Ruled | str]
"""The kind of a block, and its shape; for a mark, what begins."""
_Numbers = dict[Any, int]
"""Things, each once, and their numbers."""


@dataclass(slots=True)
class _Log:
    """The blocks of a recording, sorted: their shapes with all columns, and what else they say."""

    tokens: list[_Token] = field(default_factory=list)
    structures: dict[Structure, _Columns] = field(default_factory=dict)
    duals: dict[Structure, _Columns] = field(default_factory=dict)
    sweeps: dict[Sweep, _Columns] = field(default_factory=dict)
    writes: dict[Ruled, _Columns] = field(default_factory=dict)
    marks: _Numbers = field(default_factory=dict)
    numbers: list[int | None] = field(default_factory=list)

    @classmethod
    def of(cls, recording: Recording) -> _Log:
        log, base = cls(), 0
        for block in recording.blocks:
            match block:
                case Forward():
                    base, structure = block.base, block.structure
                    columns = log.structures.setdefault(structure, [])
                    duals = log.duals.setdefault(structure, [])
                    if block.tangents is None:
                        log.tokens.append(("forward", structure))
                        columns.append(block.values)
                    else:
                        log.tokens.append(("dual", structure))
                        duals.append(array("d", (*block.values, *block.tangents)))
                case Backward():
                    assert block.base == base, "refs count from the latest forward pass"
                    root = ref_to_index(block.sweep.refs[0], base)
                    assert block.root == root, "a pass starts with its root"
                    log.tokens.append(("backward", block.sweep))
                    log.sweeps.setdefault(block.sweep, []).append(block.grads)
                case Write():
                    ruled = Ruled.of(block)
                    log.tokens.append(("write", ruled))
                    log.writes.setdefault(ruled, []).append(ruled.column(block))
                case Marked():
                    log.tokens.append(("mark", block.kind))
                    _number(log.marks, block.kind)
                    log.numbers.append(None if block.number is None else index(block.number))
        return log


def describe(recording: Recording) -> tuple[dict[str, Any], list[bytes]]:
    """Return the manifest of a recording, and its pieces in order.

    Raises:
        TypeError: something in it is of no type that a file can hold.
    """
    log = _Log.of(recording)
    codes: _Numbers = {}
    names: _Numbers = {}
    places: _Numbers = {}
    kinds: _Numbers = {}
    pieces: list[bytes] = []
    structures = []
    for structure in log.structures:
        pieces += _structure(structure, codes)
        moves = [[offset, _number(places, place)] for offset, place in structure.places]
        named = _number(names, tuple(structure.names.items()))
        structures.append({"nodes": len(structure), "names": named, "places": moves})
    pieces += [_integers(_steps(sweep.refs)) for sweep in log.sweeps]
    written_at = []
    for ruled in log.writes:
        pieces.append(_integers(_number(kinds, kind) for kind in ruled.writes.kinds))
        pieces.append(_integers(_steps(ruled.writes.nodes)))
        written_at.append([[i, _number(places, place)] for i, place in ruled.writes.places])
    shapes = (log.structures, log.duals, log.sweeps, log.writes)
    pieces += _packed([columns for each in shapes for columns in each.values() if columns])
    manifest = {
        "title": recording.title,
        "sources": [asdict(source) for source in recording.sources.values()],
        "ops": [[OPS[code].name, len(OPS[code].partials)] for code in codes],
        "names": list(names),
        "places": [asdict(place) for place in places],
        "structures": structures,
        "sweeps": [{"nodes": len(sweep.refs), "computed": sweep.computed} for sweep in log.sweeps],
        "kinds": list(kinds),
        "writes": [
            {
                "nodes": len(ruled.writes.nodes),
                "method": ruled.method,
                "numbers": ruled.numbers,
                "columns": ruled.columns,
                "places": moves,
            }
            for ruled, moves in zip(log.writes, written_at, strict=True)
        ],
        "marks": list(log.marks),
        "blocks": _blocks(log),
        "numbers": log.numbers,
        "labels": list(recording.labels.items()),
        "spent": recording.spent,
        "pieces": [len(piece) for piece in pieces],
    }
    return manifest, pieces


def _number(numbers: _Numbers, thing: object) -> int:
    """Return the number of a thing; one that is new gets the next."""
    return numbers.setdefault(thing, len(numbers))


def _structure(structure: Structure, codes: _Numbers) -> Iterator[bytes]:
    """Yield the pieces of a structure: operations, ways back to operands, and outer operands."""
    yield _integers(_number(codes, code) for code in structure.codes)
    counts = (len(OPS[code].partials) for code in structure.codes)
    offsets = chain.from_iterable(map(repeat, range(len(structure)), counts))
    refs = structure.refs
    yield _integers(
        offset - ref if ref >= 0 else 0 for offset, ref in zip(offsets, refs, strict=True)
    )
    yield _integers(_steps([~ref for ref in refs if ref < 0]))


def _integers(numbers: Iterable[int]) -> bytes:
    return pack([array("q", numbers)])


def _steps(numbers: Sequence[int]) -> Iterator[int]:
    """Return the difference of each number from the one before; indices go up in small steps."""
    return map(sub, numbers, chain((0,), numbers))


def _packed(streams: Sequence[_Columns]) -> Iterator[bytes]:
    """Yield the pieces of all columns, and say how far it is."""
    done, total = 0, sum(map(len, streams))
    for columns in streams:
        together = passes_in_piece(len(columns[0]))
        for first in range(0, len(columns), together):
            advance(done, total)
            piece = columns[first : first + together]
            yield pack([array("d", column[:]) for column in piece])
            done += len(piece)


def _blocks(log: _Log) -> list[tuple[int, list[tuple[str, int]]]]:
    """Return the blocks as runs: how often a period comes, and its blocks by kind and number."""
    number: _Numbers = {
        shape: i
        for shapes in (log.structures, log.sweeps, log.writes, log.marks)
        for i, shape in enumerate(shapes)
    }
    return [
        (count, [(kind, number[shape]) for kind, shape in period])
        for count, period in _runs(log.tokens)
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
