"""From a manifest and its pieces to a recording. Nothing in them is taken on trust.

A checksum shows that a file is as it was written. This module makes sure that it was written well:
any file gives a recording, or raises `Damaged`. `store/__init__.py` describes the format.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, repeat

from stepgrad.engine.tape import Rule
from stepgrad.engine.world import World
from stepgrad.progress import advance, part
from stepgrad.recording.blocks import Backward, Block, Column, Forward, Marked, Write
from stepgrad.recording.foreign.remark import Remark
from stepgrad.recording.foreign.sweep import ForeignBackward, ForeignSweep
from stepgrad.recording.log import Log
from stepgrad.recording.source import Source
from stepgrad.recording.store.columns import Named, Packed, Stream, Unpacker
from stepgrad.recording.store.form import pick
from stepgrad.recording.store.packing import Damaged, passes_in_piece, unpack
from stepgrad.recording.store.shapes import Manifest, Newer, Pieces, Shapes, places_of, take_next
from stepgrad.recording.store.walks import passed_over
from stepgrad.recording.structure import Context
from stepgrad.recording.sweep import Sweep
from stepgrad.recording.writes import Writes

_Token = tuple[str, int]
"""The kind of a block, and the number of its shape."""
_Runs = list[tuple[int, list[_Token]]]
"""How often a period comes, and its blocks."""


def restore(manifest: Manifest, content: memoryview, unpacker: Unpacker, log: Log) -> None:
    """Fill an empty log with what a manifest describes; `content` are its pieces, in a row.

    Raises:
        Damaged: there can be no such recording.
    """
    log.title = manifest["title"]
    log.sources = {source["path"]: Source(**source) for source in manifest["sources"]}
    pieces = Pieces(manifest["pieces"], content)
    with part(0.0, 0.8):
        shapes = Shapes.read(manifest, pieces)
    runs: _Runs = manifest["blocks"]
    if not all(count > 0 and period for count, period in runs):
        raise Damaged("a run of blocks in it is empty")
    reader = _Reader(log, manifest, shapes, *_columns(runs, shapes, pieces, unpacker))
    with part(0.8, 1.0):
        for done, (count, period) in enumerate(runs):
            advance(done, len(runs))
            for token in chain.from_iterable(repeat(period, count)):
                reader.add(*token)
    reader.end()
    for node, name in manifest["labels"]:
        if not 0 <= node < log.size:
            raise Damaged("a label in it is for a node that does not exist")
        log.rename(node, name)
    _remarks(manifest, log)
    log.spent = manifest["spent"] or False
    world = manifest["world"]
    try:
        log.world = None if world is None else World.read(world)
    except ValueError:
        raise Newer(f"it was made in a world with the bug `{world}`") from None


def _remarks(manifest: Manifest, log: Log) -> None:
    places = places_of(manifest)
    for each in manifest["remarks"] or ():
        node = each["node"]
        if node is not None and not 0 <= node < log.size:
            raise Damaged("a remark in it is about a node that does not exist")
        place = pick("places", places, each["place"])
        log.remark(Remark(each["kind"], node, place, each["text"]))


_Links = dict[_Token, Iterator["array[int]"]]
_Columns = dict[_Token, Iterator[Packed]]


def _columns(
    runs: _Runs, shapes: Shapes, pieces: Pieces, unpacker: Unpacker
) -> tuple[_Links, _Columns]:
    """Return the links and the columns of the blocks of each shape, in order.

    There are enough of them, so a small file cannot claim to have many blocks.
    """
    uses: Counter[_Token] = Counter()
    for times, period in runs:
        for token in period:
            uses[token] += times
    links: _Links = {}
    for kind, widths in shapes.links.items():
        for which, width in enumerate(widths):
            links[kind, which] = _linked(pieces, uses[kind, which], width)
    columns: _Columns = {}
    for kind, widths in shapes.widths.items():
        for which, width in enumerate(widths):
            count = uses.pop((kind, which), 0)
            parts = [pieces.take() for _ in range(0, count, passes_in_piece(width))]
            stream = Stream(parts, count, width, unpacker)
            columns[kind, which] = stream.columns()
    pieces.end()
    if any(kind in shapes.widths for kind, _ in uses):
        raise Damaged("a block in it is of an unknown shape")
    return links, columns


def _linked(pieces: Pieces, count: int, width: int) -> Iterator[array[int]]:
    together = passes_in_piece(width)
    parts = [
        unpack(pieces.take(), "q", min(together, count - first), width)
        for first in range(0, count, together)
    ]
    return chain.from_iterable(parts)


class _Reader:
    """Makes blocks of a file, one after the other, into those of a log."""

    def __init__(
        self, log: Log, manifest: Manifest, shapes: Shapes, links: _Links, columns: _Columns
    ) -> None:
        self._log = log
        self._shapes = shapes
        self._links = links
        self._columns = columns
        self._forwards: list[Forward] = []
        self._latest: dict[int, tuple[array[int], tuple[Forward, ...], Context]] = {}
        self._last_written = [max(writes.nodes) for writes in shapes.writes]
        self._marks: Sequence[str] = manifest["marks"]
        self._numbers: Iterator[int | None] = iter(manifest["numbers"])

    def add(self, kind: str, which: int) -> None:
        """Add the next block, of this kind and shape."""
        block: Block
        match kind:
            case "forward" | "dual":
                block = self._forward(which, self._links[kind, which], self._columns[kind, which])
                self._forwards.append(block)
            case "backward":
                block = self._backward(self._shapes.sweeps[which], which)
            case "foreign":
                block = self._walked(self._shapes.walks[which], which)
            case "write":
                block = self._write(which, next(self._columns[kind, which]))
            case "mark":
                mark = pick("marks", self._marks, which)
                block = Marked(self._log.length, mark, take_next(self._numbers))
            case _:
                raise Newer(f"it has blocks of the kind `{kind}`")
        self._log.add(block)

    def end(self) -> None:
        """Make sure that nothing is left over."""
        if [*self._numbers]:
            raise Damaged("it has fewer blocks than it should have")

    def _forward(
        self, which: int, links: Iterator[array[int]], columns: Iterator[Packed]
    ) -> Forward:
        structure = self._shapes.structures[which]
        linked = next(links)
        latest = self._latest.get(which)
        if latest is None or latest[0] != linked:
            earlier = self._earlier(which, linked[1:])
            context = pick("contexts", self._shapes.contexts, linked[0])
            if context.names and not 0 <= min(context.names) <= max(context.names) < len(structure):
                raise Damaged("a name in it is for a node that does not exist")
            if latest is not None and latest[1] == earlier:
                earlier = latest[1]
            latest = self._latest[which] = linked, earlier, context
        _, earlier, context = latest
        column, count, log = next(columns), len(structure), self._log
        end = count + structure.stored
        values = column.part(0, count)
        stored: Column = column.part(count, end) if structure.own else ()
        tangents = column.part(end, end + count) if len(column) > end else None
        start, base = log.length, log.size
        return Forward(start, structure, base, values, tangents, earlier, context, stored)

    def _earlier(self, which: int, numbers: Sequence[int]) -> tuple[Forward, ...]:
        """Return the earlier passes that a forward pass uses."""
        earlier = tuple([pick("blocks", self._forwards, number) for number in numbers])
        structure = self._shapes.structures[which]
        fits = all(
            structure.outer_offsets[k] < len(each.structure)
            for k, each in zip(structure.firsts, earlier, strict=True)
        )
        if not fits or [*numbers] != sorted({*numbers}, reverse=True):
            raise Damaged("an operand comes after what is made of it")
        return earlier

    def _backward(self, sweep: Sweep, which: int) -> Block:
        token = "backward", which
        [back] = next(self._links[token])
        root = pick("blocks", self._forwards, len(self._forwards) - 1 - back)
        over: list[Forward | None] = [root] + [None] * (len(sweep.structures) - 1)
        for number, links in enumerate(sweep.links):
            here = over[number]
            if here is None or here.structure is not sweep.structures[number]:
                raise Damaged("a backward pass goes over the wrong nodes")
            for to, earlier in zip(links or (), here.earlier, strict=False):
                if to >= 0:
                    if over[to] not in (None, earlier):
                        raise Damaged("a backward pass goes over the wrong nodes")
                    over[to] = earlier
        found = tuple([each for each in over if each is not None])
        bases = [each.base for each in found]
        if bases != sorted({*bases}, reverse=True):
            raise Damaged("a backward pass goes over the wrong nodes")
        return Backward(self._log.length, sweep, found, next(self._columns[token]))

    def _walked(self, walk: ForeignSweep, which: int) -> Block:
        token = "foreign", which
        over = passed_over(walk, self._forwards, next(self._links[token]))
        return ForeignBackward(self._log.length, walk, over, next(self._columns[token]))

    def _write(self, which: int, column: Packed) -> Block:
        if self._last_written[which] >= self._log.size:
            raise Damaged("it writes to a node that does not exist")
        writes = self._shapes.writes[which]
        after = column.part(0, len(writes.nodes))
        return Write(self._log.length, writes, after, _rule(writes, column))


def _rule(writes: Writes, column: Packed) -> Rule | None:
    if writes.method is None:
        return None
    count = len(writes.nodes)
    at = count + len(writes.numbers)
    numbers = Named(writes.numbers, column.part(count, at))
    remembered: Mapping[str, Sequence[float]] = {
        name: column.part(at + i * count, at + (i + 1) * count)
        for i, name in enumerate(writes.columns)
    }
    return Rule(writes.method, numbers, remembered)
