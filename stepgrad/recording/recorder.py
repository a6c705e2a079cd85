"""The recorder: a tape that writes what the engine does into a recording.

Its work is arranged so that the engine hardly notices. While values are made it only keeps them in
a list; when something else happens (a backward pass, a write, the end) the list becomes a block
(`writer.py`).
"""

from __future__ import annotations

import sys
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import groupby
from operator import itemgetter
from threading import RLock
from weakref import WeakMethod

from stepgrad.engine.backward import ancestors, propagate
from stepgrad.engine.dual import tangents_among
from stepgrad.engine.node import Node
from stepgrad.engine.tape import (
    Place,
    Rule,
    WriteKind,
    active_tape,
    assign,
    current_place,
    recording_on,
)
from stepgrad.recording.blocks import Marked
from stepgrad.recording.budget import Budget, as_bytes, default_memory, watch
from stepgrad.recording.callers import Callers
from stepgrad.recording.recording import Recording
from stepgrad.recording.shapes import Context, Pass, offsets
from stepgrad.recording.structure import Structure
from stepgrad.recording.sweep import Sweep, leaves_of
from stepgrad.recording.writer import Writer, column


@contextmanager
def record(
    recording: Recording | None = None, *, lines: bool = False, memory: int | str | None = None
) -> Iterator[Recording]:
    """Record what Values do inside, and return a recording of it: a new one, or an empty one.

    This thread or task is recorded, with the tasks that it starts and the threads that get a copy
    of its context (`asyncio.to_thread` gives them one). Other threads are not; what they make is
    recorded when a recorded thread uses it. So are Values from before, with everything they were
    made from.

    Threads that are recorded together appear in the order in which they took turns. A Value that
    one thread reads while another writes to it may be logged either way. Without `lines`, scopes
    that several threads or tasks enter at the same time are mixed up.

    Inside another recording, only this one records; the other one then logs what has become of the
    Values that it knows. Recording ends with this block, also for tasks, threads and generators
    that go on. An error passes through; what happened before it is recorded.

    With `lines`, each node knows the file and the line that made it, and so does each write by
    hand. The recording keeps the texts of those files; making Values then takes half as long again.

    `memory` is how many bytes the recording may take (`"500MB"`); without it, a quarter of the
    memory that is free. When it is spent, recording stops at the end of a pass, a line on stderr
    says so, and what comes after is not recorded. A pass that alone would take as much again stops
    before its end.

    Raises:
        TypeError: `recording` is not a Recording.
        ValueError: something has been recorded into `recording` before; `memory` is not a size.
    """
    if recording is not None and not isinstance(recording, Recording):
        raise TypeError(
            f"record() takes an empty Recording or nothing, not {recording!r}; "
            "recording.save(path) writes a file"
        )
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
    if sys.stderr is not None:
        with suppress(OSError, ValueError):  # it may be closed: that is not the program's error
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
        self._writer = Writer(recording, self._budget)
        self._known = self._writer.known
        # Pending: first writes, then the nodes that were made after them.
        self._written: list[tuple[WriteKind, int, float, Place | None]] = []
        self._nodes: list[Node] = []
        self._named: list[Node] = []
        self._missed: dict[int, Node] = {}  # by stamp
        self._seeds: dict[int, float] = {}  # by stamp
        self._places: list[tuple[int, Place]] = [(0, current_place())]
        self.append: Callable[[Node], None] = self._nodes.append
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
                self._usual = deque[Node](maxlen=0).append  # keeps nothing, and is as fast
                self.append = self._usual
                self._unwatch()
                self._recording.end()
                self._writer.let_go()  # no Value is kept alive by whoever still reports here

    def _look(self) -> None:
        """Have the next node stop the recording, if too many wait for the end of their pass.

        This may come in the middle of anything, so it does no more.
        """
        if len(self._nodes) > self._room:
            self.append = self._append_last

    def _append_last(self, value: Node) -> None:
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

    def backward(self, root: Node) -> None:
        """Run the backward pass from `root`, and log it."""
        with self._lock:
            if not self._open():
                computed = ancestors(root)
                if self._outer is not None:
                    self._tell_outer([*computed, *leaves_of(computed, root)])
                propagate(root, computed)
                return
            self._settle()
            (sweep, order, leaves), base = self._writer.participants(root)
            if self._outer is not None:
                self._tell_outer([*order, *leaves])
            propagate(root, order)
            grads = column([node._grad for node in order] + [leaf._grad for leaf in leaves])
            self.log_backward(sweep, base, grads)

    def write(self, kind: WriteKind, value: Node, after: float) -> None:
        """Log a write by hand, and carry it out."""
        with self._lock:
            # A program writes one by one what an optimizer writes at once: this has to be quick.
            if (self._nodes or len(self._written) > self._room) and self._open():
                self._settle()
            if not self.closed:
                try:
                    node = self._known[value._stamp]
                except KeyError:
                    self._settle()
                    [node] = self._writer.indices([value])
                place = None if self._callers is None else self._callers.place
                self._written.append((kind, node, after, place))
            if self._outer is not None:
                self._outer.missed(value)
            if kind == "update":
                value._data = after
            else:
                value._grad = after

    def write_all(
        self, kind: WriteKind, values: Sequence[Node], after: array[float], rule: Rule | None
    ) -> None:
        """Log the writes of an optimizer, and carry them out."""
        with self._lock:
            if self._open():
                self._settle()
                self._writer.write_all(kind, values, after, rule)
                self._check_budget()
            self._tell_outer(values)
            assign(kind, values, after)

    def mark(self, kind: str, number: int | None) -> None:
        """Log that something begins."""
        with self._lock:
            if self._open():
                self._settle()
                self._writer.add(Marked(self._recording.length, kind, number))
                self._check_budget()

    def name(self, value: Node) -> None:
        """Take note of a label; it is resolved when the value's block is written."""
        with self._lock:
            if not self.closed:
                self._named.append(value)
            if self._outer is not None:
                self._outer.name(value)

    def seed(self, value: Node, tangent: float) -> None:
        """Take note of a tangent; those of pending nodes are computed with their block."""
        with self._lock:
            if not self._open():
                return
            if not self._nodes or value._stamp < self._nodes[0]._stamp:
                raise ValueError("only what this pass has made can be seeded: make a new Value")
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

    def missed(self, value: Node) -> None:
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

    def _tell_outer(self, values: Iterable[Node]) -> None:
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

    def latest(self, root: Node) -> Pass | None:
        """Return the latest forward pass, and the sweep from `root` (see `Writer.latest`)."""
        return self._writer.latest(root)

    def log_forward(self, structure: Structure, values: array[float]) -> int:
        """Log a forward block; return the index of its first node."""
        with self._lock:
            if self.closed:
                return self._recording.size
            return self._writer.add_forward(structure, values)

    def log_backward(self, sweep: Sweep, base: int, grads: array[float]) -> None:
        """Log a backward block whose refs count from `base`."""
        with self._lock:
            if not self.closed:
                self._writer.add_backward(sweep, base, grads)
                self._check_budget(end_of_pass=True)

    # From what is pending to blocks.

    def settle(self) -> None:
        """Write everything that is pending into the recording."""
        with self._lock:
            if self._open():
                self._settle()
                self._check_budget()

    def _settle(self) -> None:
        if self._missed:
            missed, self._missed = self._missed, {}
            self._writer.write_differences(missed.values())
        if self._written:
            self._settle_writes()
        if self._nodes:
            self._settle_nodes()
        named, self._named = self._named, []
        for value in named:
            self._writer.rename(value)

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
            self._writer.write(kinds, nodes, after, known)

    def _settle_nodes(self) -> None:
        # Other threads go on appending: what they add in the meantime is for the next block.
        nodes = self._nodes[:]
        del self._nodes[: len(nodes)]
        moves, self._places = self._places, [(0, self._places[-1][1])]
        places = moves if self._callers is None else self._callers.corrected(moves, nodes)
        named, self._named = self._named, []
        seeds, self._seeds = self._seeds, {}
        names: tuple[tuple[int, str], ...] = ()
        if named:
            found = list(zip(offsets(named, nodes), named, strict=True))
            names = tuple((offset, v._label or "") for offset, v in found if offset is not None)
            self._named = [value for offset, value in found if offset is None]
        tangents = column(tangents_among(nodes, seeds)) if seeds else None
        self._writer.forward(nodes, Context(names, tuple(places)), tangents)
