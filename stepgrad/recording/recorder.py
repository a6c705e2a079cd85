"""The recorder: a tape that writes what the engine does into a recording.

Its work is arranged so that the engine hardly notices. While values are made it only keeps them in
a list; when something else happens (a backward pass, a write, the end) the list becomes a block:
its shape is recognised among the known ones, its numbers are packed into a column.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from threading import RLock
from weakref import WeakMethod

from stepgrad.engine.backward import ancestors, propagate
from stepgrad.engine.dual import tangents_among
from stepgrad.engine.ops import CONSTANT
from stepgrad.engine.tape import (
    Place,
    Rule,
    WriteKind,
    active_tape,
    assign,
    current_place,
    recording_on,
)
from stepgrad.engine.value import Value
from stepgrad.recording.blocks import Backward, Block, Forward, Marked, Write
from stepgrad.recording.budget import Budget, as_bytes, default_memory, watch
from stepgrad.recording.callers import Callers
from stepgrad.recording.recording import Recording
from stepgrad.recording.shapes import (
    Context,
    Known,
    Pass,
    Shape,
    offsets,
    refs,
    same_values,
    unlogged,
)
from stepgrad.recording.structure import Structure, ref_to_index
from stepgrad.recording.sweep import Sweep, Writes, leaves_of


@contextmanager
def record(
    recording: Recording | None = None, *, lines: bool = False, memory: int | str | None = None
) -> Iterator[Recording]:
    """Record what Values do inside, and return a recording of it: a new one, or an empty one.

    Recorded is the context that this is called in: this thread or task, the tasks that it starts,
    and the threads that get a copy of the context (`asyncio.to_thread` gives them one). Other
    threads are not recorded; what they make comes in when a recorded thread uses it. So do Values
    from before, with everything they were made from. Where recorded threads take turns, the log has
    what they do in the order in which it happened; but a thread that computes with a Value while
    another one writes to it may see either number.

    Inside another recording, only this one records; afterwards the other one takes in what has
    been written to Values that it knows. Recording ends with this block, also for tasks, threads
    and generators that go on. An error passes through; what happened before it is recorded.

    With `lines`, each node knows the file and the line that made it, and so does each write by
    hand. The recording keeps the texts of those files; making Values then takes half as long again.

    `memory` is how many bytes the recording may take (`"500MB"`); without it, a quarter of the
    memory that is free. When it is spent, recording stops at the end of a pass, a line on stderr
    says so, and what comes after is not recorded. A pass that alone would take as much again stops
    before its end.

    Raises:
        ValueError: something has been recorded into `recording` before; `memory` is not a size.
    """
    recording = Recording() if recording is None else recording
    budget = None if memory is None else as_bytes(memory)
    with recorded_by(Recorder(recording, lines=lines, memory=budget, spent=_say_spent)):
        yield recording


@contextmanager
def recorded_by(recorder: Recorder) -> Iterator[Recorder]:
    """Record what Values do inside, with a recorder that is closed at the end."""
    with recording_on(recorder):
        try:
            yield recorder
        finally:
            recorder.close()


def _say_spent(recording: Recording) -> None:
    said = f"stepgrad: {recording.incomplete}; what the program does from here on is not recorded"
    print(said, file=sys.stderr)


def active_recorder() -> Recorder | None:
    """Return the recorder of this context; None where nothing is being recorded."""
    tape = active_tape()
    return tape if isinstance(tape, Recorder) and not tape.closed else None


class Recorder:
    """The `engine.tape.Tape` of one recording.

    Several threads may report to it. What must not be torn is done under a lock; only `append`,
    which every new node goes through, has none: it is a single operation on a list.

    Args:
        recording: where everything goes; an empty one.
        lines: whether to note the file and the line of each node and each write.
        memory: how many bytes the recording may take; None for the usual share of what is free.
        spent: called once, if that is spent and the recorder has closed.

    Raises:
        ValueError: something has been recorded into this recording before.
    """

    def __init__(
        self,
        recording: Recording,
        *,
        lines: bool = False,
        memory: int | None = None,
        spent: Callable[[Recording], None] = lambda _: None,
    ) -> None:
        self._recording = recording
        recording.memory = memory
        self._budget = Budget(default_memory() if memory is None else memory)
        self._room = self._budget.room
        self._say_spent = spent
        self._lock = RLock()
        self._outer = active_tape()
        self.closed = False
        recording.begin(self._settle_for_reader)
        self._known = Known()
        self._structures: dict[tuple[bytes, Context], list[Structure]] = {}
        self._shapes: dict[Structure, Shape] = {}
        # By node count and context: the template that recurred last, tried first.
        self._expected: dict[tuple[int, Context], Shape] = {}
        self._writes: dict[object, Writes] = {}
        self._latest_writes: dict[WriteKind, tuple[Sequence[Value], Writes]] = {}
        # Pending: first writes, then the nodes that were made after them.
        self._written: list[tuple[WriteKind, int, float, Place | None]] = []
        self._nodes: list[Value] = []
        self._named: list[Value] = []
        self._missed: dict[int, Value] = {}  # by stamp
        self._seeds: dict[int, float] = {}  # by stamp
        self._places: list[tuple[int, Place]] = [(0, current_place())]
        self._latest: tuple[Shape, list[Value], int] | None = None
        self.append: Callable[[Value], None] = self._nodes.append
        self._callers = Callers(self._moved, recording.sources) if lines else None
        if self._callers is not None:
            self.append = self._callers.noting(self.append, self._lock)
        self._usual = self.append
        self._unwatch = watch(WeakMethod(self._look))

    def close(self) -> None:
        """End the recording: what is pending comes in, and what happens later does not.

        The engine may go on reporting. A closed recorder carries out what it is given, as the
        engine does where there is no tape.
        """
        with self._lock:
            if self._open():
                self._settle()
                self.closed = True
                self._usual = deque[Value](maxlen=0).append  # keeps nothing, and is as fast
                self.append = self._usual
                self._unwatch()
                self._recording.end()
                for kept in (self._shapes, self._expected, self._latest_writes):
                    kept.clear()  # no Value is kept alive by whoever still reports here
                self._latest = None

    def _look(self) -> None:
        """Have the next node stop the recording, if too many wait for the end of their pass.

        This may come in the middle of anything, so it does no more.
        """
        if len(self._nodes) > self._room:
            self.append = self._append_last

    def _append_last(self, value: Value) -> None:
        with self._lock:
            self._open()
            self.append = self._usual
        self.append(value)

    def _open(self) -> bool:
        """Whether the recording goes on; it ends here if there is no room for what is pending."""
        if len(self._nodes) > self._room or len(self._written) > self._room:
            # Cut where the room ends: when it was seen to be too much is chance.
            del self._nodes[self._room :], self._written[self._room :]
            self._places = [move for move in self._places if move[0] < max(1, len(self._nodes))]
            self._stop()
        return not self.closed

    def _check_budget(self, *, end_of_pass: bool = False) -> None:
        """Stop if the budget is spent: at the end of a pass, or when it is spent twice."""
        self._room = self._budget.room
        if self._budget.overspent or (end_of_pass and self._budget.spent):
            self._stop()

    def _stop(self) -> None:
        if not self.closed:
            self._recording.spent = True
            self.close()
            self._say_spent(self._recording)

    # What the engine reports.

    def backward(self, root: Value) -> None:
        """Run the backward pass from `root`, and log it."""
        with self._lock:
            if not self._open():
                computed = ancestors(root)
                if self._outer is not None:
                    self._tell_outer([*computed, *leaves_of(computed, root)])
                propagate(root, computed)
                return
            self._settle()
            self._indices([root])
            assert self._latest is not None, "the root at least is in the log"
            shape, nodes, base = self._latest
            sweep, order, leaves = shape.participants(root, nodes, base, self._known)
            if self._outer is not None:
                self._tell_outer([*order, *leaves])
            propagate(root, order)
            grads = _column([node._grad for node in order] + [leaf._grad for leaf in leaves])
            self.log_backward(sweep, base, grads)

    def write(self, kind: WriteKind, value: Value, after: float) -> None:
        """Log a write by hand, and carry it out."""
        with self._lock:
            if self._open():
                if self._nodes:
                    self._settle()
                try:
                    node = self._known[value._stamp]
                except KeyError:
                    [node] = self._indices([value])
                place = None if self._callers is None else self._callers.place
                self._written.append((kind, node, after, place))
            if self._outer is not None:
                self._outer.missed(value)
            if kind == "update":
                value._data = after
            else:
                value._grad = after

    def write_all(
        self, kind: WriteKind, values: Sequence[Value], after: array[float], rule: Rule | None
    ) -> None:
        """Log the writes of an optimizer, and carry them out."""
        with self._lock:
            if self._open():
                self._settle()
                before, writes = self._latest_writes.get(kind, ((), None))
                # The next step of the same optimizer writes the same Values.
                if writes is None or not same_values(values, before):
                    writes = self._writes_to((kind,) * len(values), self._indices(values))
                    self._latest_writes[kind] = values[:], writes
                self._log_writes(writes, after, rule)
                self._check_budget()
            self._tell_outer(values)
            assign(kind, values, after)

    def mark(self, kind: str, number: int | None) -> None:
        """Log that something begins."""
        with self._lock:
            if self._open():
                self._settle()
                self._add(Marked(self._recording.length, kind, number))
                self._check_budget()

    def name(self, value: Value) -> None:
        """Take note of a label; it is resolved when the value's block is written."""
        with self._lock:
            if not self.closed:
                self._named.append(value)
            if self._outer is not None:
                self._outer.name(value)

    def seed(self, value: Value, tangent: float) -> None:
        """Take note of a tangent; those of pending nodes are computed with their block."""
        with self._lock:
            if not self._open():
                return
            if not self._nodes or value._stamp < self._nodes[0]._stamp:
                raise ValueError("only what this pass has made can be seeded: make the value anew")
            self._seeds[value._stamp] = tangent

    def move(self, place: Place) -> None:
        """Take note that nodes are made at another place from here on."""
        if self._callers is None:  # they see by themselves where a node is made
            with self._lock:
                self._moved(place)

    def _moved(self, place: Place) -> None:
        if self._places[-1][0] == len(self._nodes):
            self._places.pop()
        self._places.append((len(self._nodes), place))

    def missed(self, value: Value) -> None:
        """Take note that another tape is about to write a Value; what came of it is logged later.

        Many writes one after the other make one event: what counts is what is there at the end.
        """
        with self._lock:
            if not self.closed:
                if self._nodes or self._written:
                    self.settle()
                if self._known.has(value):
                    self._missed[value._stamp] = value
            if self._outer is not None:
                self._outer.missed(value)

    def _tell_outer(self, values: Iterable[Value]) -> None:
        if self._outer is not None:
            for value in values:
                self._outer.missed(value)

    # What a pass without Values needs (`traced.py`).

    @property
    def recording(self) -> Recording:
        """Where everything goes."""
        return self._recording

    @property
    def room(self) -> int:
        """The most nodes that a pass may have that begins now and is to be recorded to its end."""
        return self._room

    @property
    def pending(self) -> bool:
        """Whether nodes are waiting that will share a block with those made next."""
        return bool(self._nodes)

    def latest(self, root: Value) -> Pass | None:
        """Return the latest forward pass, and the sweep from `root`.

        None where the sweep would not start from a computed node of this pass, or would lead
        through computed nodes of others.
        """
        if self._latest is None:
            return None
        shape, nodes, base = self._latest
        if not self._known.has(root) or self._known.index(root) < base:
            return None
        sweep = shape.participants(root, nodes, base, self._known).sweep
        if not sweep.computed or min(sweep.refs[: sweep.computed]) < 0:
            return None
        earlier = {~self._known.index(value): value for value in shape.outer}
        return Pass(shape.structure, base, earlier, sweep)

    def log_forward(
        self, structure: Structure, values: array[float], tangents: array[float] | None = None
    ) -> int:
        """Log a forward block; return the index of its first node."""
        with self._lock:
            recording = self._recording
            base = recording.size
            if not self.closed:
                self._add(Forward(recording.length, structure, base, values, tangents))
            return base

    def log_backward(self, sweep: Sweep, base: int, grads: array[float]) -> None:
        """Log a backward block whose refs count from `base`."""
        with self._lock:
            if not self.closed:
                recording = self._recording
                root = ref_to_index(sweep.root, base)
                self._add(Backward(recording.length, sweep, root, base, grads))
                self._check_budget(end_of_pass=True)

    def _add(self, block: Block) -> None:
        self._recording.add(block)
        self._budget.take(block)

    # From what is pending to blocks.

    def settle(self) -> None:
        """Write everything that is pending into the recording."""
        with self._lock:
            if self._open():
                self._settle()
                self._check_budget()

    def _settle(self) -> None:
        if self._missed:
            self._settle_missed()
        if self._written:
            self._settle_writes()
        if self._nodes:
            self._settle_nodes()
        named, self._named = self._named, []
        for value in named:
            if value.label and self._known.has(value):
                self._recording.rename(self._known.index(value), value.label)
                self._budget.take_name()

    def _settle_for_reader(self) -> None:
        """Settle when the recorded program itself reads; another thread sees what is settled."""
        if active_tape() is self:
            self.settle()

    def _settle_missed(self) -> None:
        """Log what has become of Values that other tapes saw written."""
        missed, self._missed = self._missed, {}
        history = self._recording.history
        for value in missed.values():
            index, now = self._known.index(value), self._recording.length
            if not _same(history.value(index, now), value._data):
                self._write(["update"], [index], [value._data], None)
            grad = history.grad(index, now) or 0.0
            if not _same(grad, value._grad) and value._operation is not CONSTANT:
                self._write(["set"], [index], [value._grad], None)

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
        # Other threads go on appending: what they add in the meantime is for the next block.
        nodes = self._nodes[:]
        del self._nodes[: len(nodes)]
        places, self._places = self._places, [(0, self._places[-1][1])]
        named, self._named = self._named, []
        seeds, self._seeds = self._seeds, {}
        names: tuple[tuple[int, str], ...] = ()
        if named:
            found = list(zip(offsets(named, nodes), named, strict=True))
            names = tuple((offset, v.label or "") for offset, v in found if offset is not None)
            self._named = [value for offset, value in found if offset is None]
        tangents = _column(tangents_among(nodes, seeds)) if seeds else None
        self._forward(nodes, Context(names, tuple(places)), tangents)

    def _indices(self, values: Sequence[Value]) -> tuple[int, ...]:
        """Return where in the log values are, after taking in those that are unlogged."""
        known = self._known
        try:
            return tuple([known[value._stamp] for value in values])
        except KeyError:
            self.settle()
            self._adopt(values)
            return tuple([known[value._stamp] for value in values])

    def _adopt(self, values: Iterable[Value], pending: Sequence[Value] = ()) -> None:
        """Log those of `values` that are unlogged, with all they were made from.

        Values in `pending` count as logged: they are about to be.
        """
        nodes = unlogged(values, self._known, pending)
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
                self._forward_with_unlogged(nodes, context, tangents)
                return
        values = _column([node._data for node in nodes])
        base = self.log_forward(shape.structure, values, tangents)
        self._known.add(nodes, base)
        self._latest = shape, nodes, base

    def _forward_with_unlogged(
        self, nodes: list[Value], context: Context, tangents: array[float] | None
    ) -> None:
        """Log nodes that use unlogged Values, after these, which may use some of the nodes in turn.

        They do where a thread that is not recorded made them of pending Values.
        """
        operands = [operand for node in nodes for operand in node._operands]
        new = unlogged(operands, self._known, nodes)
        used = {operand._stamp for value in new for operand in value._operands}
        cut = max((i + 1 for i, node in enumerate(nodes) if node._stamp in used), default=0)
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
            KeyError: one of them uses an unlogged Value.
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
            self._add(Write(recording.length, writes, column, rule))


def _same(logged: float | None, actual: float) -> bool:
    return logged == actual or (logged != logged and actual != actual)


def _column(numbers: Sequence[float]) -> array[float]:
    # Packing first is three times as fast as array("d", numbers).
    return array("d", struct.pack(f"{len(numbers)}d", *numbers))
