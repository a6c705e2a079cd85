"""The recorder: a tape that writes what the engine does into a recording.

Its work is arranged so that the engine hardly notices. While values are made it only keeps them in
a list; when something else happens (a backward pass, a write, the end) the list becomes a block:
its shape is recognised among the known ones, its numbers are packed into a column.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter

from stepgrad.engine.backward import propagate
from stepgrad.engine.dual import tangents_among
from stepgrad.engine.ops import CONSTANT
from stepgrad.engine.tape import Place, Rule, WriteKind, active_tape, current_place, recording_on
from stepgrad.engine.value import Value
from stepgrad.recording.blocks import Backward, Forward, Marked, Write
from stepgrad.recording.callers import Callers
from stepgrad.recording.recording import Recording
from stepgrad.recording.shapes import (
    Context,
    Known,
    Pass,
    Shape,
    offsets,
    refs,
    strangers,
)
from stepgrad.recording.structure import Structure, ref_to_index
from stepgrad.recording.sweep import Sweep, Writes


@contextmanager
def record(recording: Recording | None = None, *, lines: bool = False) -> Iterator[Recording]:
    """Record whatever Value code runs inside, in this thread or task.

    Values from before come into the recording when they are first used, with everything they were
    made from. Inside another recording, only this one hears what happens. An error passes through;
    what happened before it is recorded.

    With `lines`, each node knows the file and the line that made it, and so does what is written to
    it by hand. The recording keeps the texts of those files; values then take half as long again
    to make.
    """
    recording = Recording() if recording is None else recording
    recorder = Recorder(recording, lines=lines)
    with recording_on(recorder):
        try:
            yield recording
        finally:
            recorder.settle()
            recording.follow(lambda: None)


class Recorder:
    """The `engine.tape.Tape` of one recording."""

    def __init__(self, recording: Recording, *, lines: bool = False) -> None:
        self._recording = recording
        recording.follow(self._settle_for_reader)
        self._known = Known()
        self._structures: dict[tuple[bytes, Context], list[Structure]] = {}
        self._shapes: dict[Structure, Shape] = {}
        # Of as many nodes in the same context, the last that came again will come once more.
        self._expected: dict[tuple[int, Context], Shape] = {}
        self._writes: dict[object, Writes] = {}
        self._latest_writes: dict[WriteKind, tuple[Sequence[Value], Writes]] = {}
        # Pending: first writes, then the nodes that were made after them.
        self._written: list[tuple[WriteKind, int, float, Place | None]] = []
        self._nodes: list[Value] = []
        self._named: list[Value] = []
        self._seeds: dict[Value, float] = {}
        self._places: list[tuple[int, Place]] = [(0, current_place())]
        self._latest: tuple[Shape, list[Value], int] | None = None
        self.append: Callable[[Value], None] = self._nodes.append
        self._callers = Callers(self._moved, recording.sources) if lines else None
        if self._callers is not None:
            self.append = self._callers.noting(self.append)
            self._callers.enter(current_place().scope)

    # What the engine tells.

    def backward(self, root: Value) -> None:
        """Run the backward pass from `root`, and log it."""
        self.settle()
        self._indices([root])
        assert self._latest is not None, "the root at least is in the log"
        shape, nodes, base = self._latest
        sweep, order, leaves = shape.participants(root, nodes, base, self._known)
        propagate(root, order)
        grads = _column([node._grad for node in order] + [leaf._grad for leaf in leaves])
        self.log_backward(sweep, base, grads)

    def write(self, kind: WriteKind, value: Value, after: float) -> None:
        """Log a write, which has not been done yet."""
        if self._nodes:
            self.settle()
        try:
            node = self._known[value._stamp]
        except KeyError:
            [node] = self._indices([value])
        place = None if self._callers is None else self._callers.place
        self._written.append((kind, node, after, place))

    def write_all(
        self, kind: WriteKind, values: Sequence[Value], after: Sequence[float], rule: Rule | None
    ) -> None:
        """Log the writes of an optimizer, which have not been done yet."""
        self.settle()
        before, writes = self._latest_writes.get(kind, ((), None))
        if writes is None or values != before:  # else it is the next step of the same optimizer
            writes = self._writes_to((kind,) * len(values), self._indices(values))
            self._latest_writes[kind] = values[:], writes
        self._log_writes(writes, after, rule)

    def mark(self, kind: str, number: int | None) -> None:
        """Log that something begins."""
        self.settle()
        self._recording.add(Marked(self._recording.length, kind, number))

    def name(self, value: Value) -> None:
        """Take note of a label; it is resolved when the value's block is written."""
        self._named.append(value)

    def seed(self, value: Value, tangent: float) -> None:
        """Take note of a tangent; those of what is pending are computed with its block."""
        if not self._nodes or value._stamp < self._nodes[0]._stamp:
            raise ValueError("only what this pass has made can be seeded: make the value anew")
        self._seeds[value] = tangent

    def move(self, place: Place) -> None:
        """Take note that nodes are made at another place from here on."""
        if self._callers is None:
            self._moved(place)
        else:
            self._callers.enter(place.scope)

    def _moved(self, place: Place) -> None:
        if self._places[-1][0] == len(self._nodes):
            self._places.pop()
        self._places.append((len(self._nodes), place))

    def resume(self) -> None:
        """Log what a recording inside this one has changed: its writes were not told here."""
        self.settle()
        kept = {value: None for shape in self._shapes.values() for value in shape.outer}
        latest = self._latest[1] if self._latest else []
        for value in [*kept, *latest]:
            index, now = self._known.index(value), self._recording.length
            if not _same(self._recording.history.value(index, now), value._data):
                self._write(["update"], [index], [value._data], None)
            grad = self._recording.history.grad(index, now) or 0.0
            if not _same(grad, value._grad) and value._operation is not CONSTANT:
                self._write(["set"], [index], [value._grad], None)

    # What a pass without Values needs (`traced.py`).

    @property
    def recording(self) -> Recording:
        """Where everything goes."""
        return self._recording

    @property
    def pending(self) -> bool:
        """Whether nodes are waiting that will share a block with those made next."""
        return bool(self._nodes)

    def latest(self, root: Value) -> Pass | None:
        """Return the latest forward pass, and the sweep from `root`.

        None where the sweep would not start from a computed node of this pass, or would lead
        through computed nodes of others.
        """
        if self._latest is None or root not in self._latest[1]:
            return None
        shape, nodes, base = self._latest
        sweep = shape.participants(root, nodes, base, self._known).sweep
        if not sweep.computed or min(sweep.refs[: sweep.computed]) < 0:
            return None
        earlier = {~self._known.index(value): value for value in shape.outer}
        return Pass(shape.structure, base, earlier, sweep)

    def log_forward(
        self, structure: Structure, values: array[float], tangents: array[float] | None = None
    ) -> int:
        """Log a forward block; return the index of its first node."""
        recording = self._recording
        base = recording.size
        recording.add(Forward(recording.length, structure, base, values, tangents))
        return base

    def log_backward(self, sweep: Sweep, base: int, grads: array[float]) -> None:
        """Log a backward block whose refs count from `base`."""
        recording = self._recording
        root = ref_to_index(sweep.root, base)
        recording.add(Backward(recording.length, sweep, root, base, grads))

    # From what is pending to blocks.

    def settle(self) -> None:
        """Write everything that is pending into the recording."""
        if self._written:
            self._settle_writes()
        if self._nodes:
            self._settle_nodes()
        for value in self._named:
            if value.label and self._known.has(value):
                self._recording.rename(self._known.index(value), value.label)
        self._named.clear()

    def _settle_for_reader(self) -> None:
        """Settle when the recorded program itself reads; another thread sees what is settled."""
        if active_tape() is self:
            self.settle()

    def _settle_writes(self) -> None:
        """Log writes by hand, each kind as a phase of its own.

        A loop that writes the value and clears the gradient of each parameter is one phase.
        """
        written, self._written = self._written, []
        runs = [list(run) for _, run in groupby(written, key=itemgetter(0))]
        if len(runs) > len({run[0][0] for run in runs}):
            runs = [written]
        for run in runs:
            kinds, nodes, after, places = zip(*run, strict=True)
            moves = enumerate(zip(places, (None, *places), strict=False))
            known = tuple((i, here) for i, (here, before) in moves if here and here is not before)
            self._log_writes(self._writes_to(kinds, nodes, known), after, None)

    def _settle_nodes(self) -> None:
        nodes = self._nodes.copy()
        names: tuple[tuple[int, str], ...] = ()
        if self._named:
            named = list(zip(offsets(self._named, nodes), self._named, strict=True))
            names = tuple((offset, v.label or "") for offset, v in named if offset is not None)
            self._named = [value for offset, value in named if offset is None]
        tangents = _column(tangents_among(nodes, self._seeds)) if self._seeds else None
        self._forward(nodes, Context(names, tuple(self._places)), tangents)
        self._seeds.clear()
        self._nodes.clear()
        self._places = [(0, self._places[-1][1])]

    def _indices(self, values: Sequence[Value]) -> tuple[int, ...]:
        """Return where in the log values are, after taking in those that are strangers."""
        known = self._known
        try:
            return tuple([known[value._stamp] for value in values])
        except KeyError:
            self.settle()
            self._adopt(values)
            return tuple([known[value._stamp] for value in values])

    def _adopt(self, values: Iterable[Value], pending: Sequence[Value] = ()) -> None:
        """Log those of `values` that are strangers, with all they were made from.

        What is `pending` is none: it is about to be logged.
        """
        nodes = strangers(values, self._known, pending)
        if not nodes:
            return
        names = tuple((i, node.label) for i, node in enumerate(nodes) if node.label)
        self._forward(nodes, Context(names, ((0, Place()),)))
        carried = [node for node in nodes if node._grad and node._operation is not CONSTANT]
        if carried:  # gradients of passes that nobody recorded
            indices = tuple(map(self._known.index, carried))
            grads = [node._grad for node in carried]
            self._write(["set"] * len(carried), indices, grads, None)

    def _forward(
        self, nodes: list[Value], context: Context, tangents: array[float] | None = None
    ) -> None:
        """Log a forward block."""
        shape = self._expected.get((len(nodes), context))
        if shape is None or not shape.fits(nodes):
            try:
                shape = self._shape(nodes, context)
            except KeyError:
                self._forward_among_strangers(nodes, context, tangents)
                return
        values = _column([node._data for node in nodes])
        base = self.log_forward(shape.structure, values, tangents)
        self._known.add(nodes, base)
        self._latest = shape, nodes, base

    def _forward_among_strangers(
        self, nodes: list[Value], context: Context, tangents: array[float] | None
    ) -> None:
        """Log nodes that use strangers, after these; strangers may use some of the nodes in turn.

        Another thread may have made them so, from Values of this one.
        """
        operands = [operand for node in nodes for operand in node._operands]
        new = strangers(operands, self._known, nodes)
        used = {operand for value in new for operand in value._operands}
        cut = max((place + 1 for place, node in enumerate(nodes) if node in used), default=0)
        if not cut:
            self._adopt(operands, pending=nodes)
            self._forward(nodes, context, tangents)
            return
        for first, last in ((0, cut), (cut, len(nodes))):
            part = None if tangents is None else tangents[first:last]
            self._forward(nodes[first:last], context.part(first, last), part)

    def _shape(self, nodes: list[Value], context: Context) -> Shape:
        """Describe nodes, and find out whether there were others like them.

        Raises:
            KeyError: one of them uses a stranger.
        """
        column, outer = refs(nodes, self._known)
        codes = bytes([node._operation.code for node in nodes])
        alike = self._structures.setdefault((codes, context), [])
        structure = next((each for each in alike if each.refs == column), None)
        if structure is None:
            structure = Structure(codes, column, dict(context.names), context.places)
            alike.append(structure)
        shape = self._shapes.get(structure)
        if shape is not None:
            shape.memorise(nodes)
            self._expected[len(nodes), context] = shape
            return shape
        shape = Shape(structure, outer)
        if shape.closed:
            # What is kept alive for the next pass are leaves: parameters, not whole graphs.
            self._shapes[structure] = shape
        return shape

    def _write(
        self,
        kinds: Sequence[WriteKind],
        nodes: Sequence[int],
        after: Sequence[float],
        rule: Rule | None,
    ) -> None:
        """Log a block of writes."""
        self._log_writes(self._writes_to(tuple(kinds), tuple(nodes)), after, rule)

    def _writes_to(
        self,
        kinds: tuple[WriteKind, ...],
        nodes: tuple[int, ...],
        places: tuple[tuple[int, Place], ...] = (),
    ) -> Writes:
        key = kinds, nodes, places
        return self._writes.get(key) or self._writes.setdefault(key, Writes(*key))

    def _log_writes(self, writes: Writes, after: Sequence[float], rule: Rule | None) -> None:
        if after:
            recording = self._recording
            column = after if isinstance(after, array) else _column(after)
            recording.add(Write(recording.length, writes, column, rule))


def _same(logged: float | None, actual: float) -> bool:
    return logged == actual or (logged != logged and actual != actual)


def _column(numbers: Sequence[float]) -> array[float]:
    # Packing first is three times as fast as array("d", numbers).
    return array("d", struct.pack(f"{len(numbers)}d", *numbers))
