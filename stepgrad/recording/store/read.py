"""From a manifest and its pieces to a recording. Nothing that they say is taken on trust.

A checksum tells that a file is as it was written. What is made sure here is that it was written
well: whatever a file says, there is a recording, or `Damaged`. `store` tells the format.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import chain, repeat

from stepgrad.progress import advance
from stepgrad.recording.blocks import Backward, Block, Forward, Marked
from stepgrad.recording.recording import Recording, Source
from stepgrad.recording.store.columns import Damaged, Packed, Stream, Unpacker, passes_in_piece
from stepgrad.recording.store.fields import Fields, as_pairs, pick
from stepgrad.recording.store.shapes import Newer, Pieces, Shapes, taken
from stepgrad.recording.structure import Structure, ref_to_index
from stepgrad.recording.sweep import Sweep

_Token = tuple[str, int]
"""The kind of a block, and the number of its shape."""
_Runs = list[tuple[int, list[_Token]]]
"""How often a period comes, and its blocks."""


def restore(manifest: Fields, content: memoryview, unpacker: Unpacker) -> Recording:
    """Return the recording that a manifest describes; `content` are its pieces, in a row.

    Raises:
        Damaged: there can be no such recording.
    """
    sources = [
        Source(source.get("path", str), source.get("text", str))
        for source in manifest.objects("sources")
    ]
    recording = Recording(manifest.get("title", str))
    recording.sources = {source.path: source for source in sources}
    pieces = Pieces(manifest.all("pieces", int), content)
    shapes = Shapes.read(manifest, pieces)
    runs = _runs(manifest)
    columns = _columns(runs, shapes, pieces, unpacker)
    log = _Log(recording, manifest, shapes, columns)
    for done, (count, period) in enumerate(runs):
        advance(done, len(runs))
        for token in chain.from_iterable(repeat(period, count)):
            log.add(token)
    log.end()
    for node, name in manifest.pairs("labels", int, str):
        if not 0 <= node < recording.size:
            raise Damaged("a label in it is for a node that there is not")
        recording.rename(node, name)
    recording.spent = manifest.maybe("spent", bool) or False
    return recording


def _runs(manifest: Fields) -> _Runs:
    runs = []
    for count, period in manifest.pairs("blocks", int, list):
        if count < 1 or not period:
            raise Damaged("a run of blocks in it is empty")
        runs.append((count, as_pairs("blocks", period, str, int)))
    return runs


def _columns(
    runs: _Runs, shapes: Shapes, pieces: Pieces, unpacker: Unpacker
) -> dict[_Token, Iterator[Packed]]:
    """Return the columns of each shape, in order, and make sure that there are enough.

    So a file that is small cannot say that it has many blocks.
    """
    uses: Counter[_Token] = Counter()
    for times, period in runs:
        for token in period:
            uses[token] += times
    columns: dict[_Token, Iterator[Packed]] = {}
    for kind, widths in shapes.widths.items():
        for which, width in enumerate(widths):
            count = uses.pop((kind, which), 0)
            parts = [pieces.take() for _ in range(0, count, passes_in_piece(width))]
            stream = Stream(parts, count, width, unpacker)
            columns[kind, which] = stream.columns()
    pieces.end()
    if any(kind in shapes.widths for kind, _ in uses):
        raise Damaged("a block in it is of no shape that there is")
    return columns


class _Log:
    """Makes blocks of a file, one after the other, into those of a recording."""

    def __init__(
        self,
        recording: Recording,
        manifest: Fields,
        shapes: Shapes,
        columns: Mapping[_Token, Iterator[Packed]],
    ) -> None:
        self._recording = recording
        self._shapes = shapes
        self._columns = columns
        self._sweeps: dict[int, tuple[Sweep, Structure]] = {}
        self._marks = manifest.all("marks", str)
        self._numbers = iter(manifest.maybes("numbers", int))
        self._start = 0
        self._latest: tuple[Structure, int] | None = None

    def add(self, token: _Token) -> None:
        """Add the next block, of this kind and shape."""
        kind, which = token
        match kind:
            case "forward" | "dual":
                block = self._forward(which, self._columns[token])
            case "backward":
                block = self._backward(which, self._columns[token])
            case "write":
                block = self._write(which, self._columns[token])
            case "mark":
                mark = pick("marks", self._marks, which)
                block = Marked(self._start, mark, taken(self._numbers))
            case _:
                raise Newer(f"it has blocks of the kind `{kind}`")
        self._recording.add(block)
        self._start += block.length

    def end(self) -> None:
        """Make sure that nothing is left over."""
        if [*self._numbers]:
            raise Damaged("it has fewer blocks than it should have")

    def _forward(self, which: int, columns: Iterator[Packed]) -> Block:
        structure, base = self._shapes.structures[which], self._recording.size
        if self._shapes.latest_outer[which] >= base:
            raise Damaged("an operand comes after what is made of it")
        self._latest = structure, base
        column, count = next(columns), len(structure)
        if len(column) == count:
            return Forward(self._start, structure, base, column)
        values, tangents = column.part(0, count), column.part(count, 2 * count)
        return Forward(self._start, structure, base, values, tangents)

    def _backward(self, which: int, columns: Iterator[Packed]) -> Block:
        if self._latest is None:
            raise Damaged("a backward pass comes before all nodes")
        structure, base = self._latest
        if which not in self._sweeps:
            sweep = self._shapes.reached[which].sweep(self._recording, structure, base)
            self._sweeps[which] = sweep, structure
        sweep, over = self._sweeps[which]
        if over is not structure:
            raise Damaged("a backward pass goes over the wrong nodes")
        root = ref_to_index(sweep.refs[0], base)
        return Backward(self._start, sweep, root, base, next(columns))

    def _write(self, which: int, columns: Iterator[Packed]) -> Block:
        if self._shapes.latest_written[which] >= self._recording.size:
            raise Damaged("it writes to a node that there is not")
        return self._shapes.writes[which].block(self._start, next(columns))
