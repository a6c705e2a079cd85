"""The recorder: a tape that writes what the engine does into a log.

Its work is arranged so that the engine hardly notices. While values are made, or written one by
one, it only keeps that in a list; when something else happens (a backward pass, the end) the list
becomes a block (`writer.py`).
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from threading import RLock
from typing import Any
from weakref import WeakMethod

from stepgrad.engine.backward import ancestors, propagate
from stepgrad.engine.node import Node
from stepgrad.engine.ops import LEAF
from stepgrad.engine.tape import Place, Rule, WriteKind, active_tape, assign
from stepgrad.recording.blocks import Marked
from stepgrad.recording.blockwise import Blockwise
from stepgrad.recording.budget import Budget, watch
from stepgrad.recording.changes import Writing
from stepgrad.recording.foreign.door import Door
from stepgrad.recording.log import Log
from stepgrad.recording.memory import default_memory
from stepgrad.recording.pending import Pending
from stepgrad.recording.places import Places
from stepgrad.recording.writer import Writer


class Recorder(Blockwise):
    """The `engine.tape.Tape` of one recording.

    Several threads may report to it. What must not be torn is done under a lock. `append`, which
    every new node goes through, has none, nor has `write`: each notes what was done with a single
    operation on a list. Where two threads write to one Value at once, its last number is noted
    again if it is not the one that was noted last.

    Args:
        log: where everything goes; an empty one.
        lines: whether to note the file and the line of each node and each write.
        memory: how many bytes the recording may take; None for the usual share of what is free.
        spent: called once, if that is spent and the recorder has closed.

    Raises:
        ValueError: something has been recorded into this log before.
    """

    def __init__(
        self,
        log: Log,
        *,
        lines: bool = False,
        memory: int | None = None,
        spent: Callable[[Log], None] = lambda _: None,
    ) -> None:
        self.log = log
        log.memory = memory
        self._budget = Budget(default_memory() if memory is None else memory)
        self._on_spent = spent
        self._lock = RLock()
        self._enclosing = active_tape()
        self.closed = False
        log.begin(self._settle_for_reader)
        places = Places(log.sources)
        self.lines = lines
        if lines:  # those of a scenario are known
            from stepgrad.recording.callers import Callers  # noqa: PLC0415
        self._callers = Callers(places) if lines else None
        self._pending = Pending(self._callers)
        self._writer = Writer(log, self._budget, places.at, self._pending.want)
        self._missed: dict[int, Node] = {}  # by stamp
        self.append = self._pending.append
        self.write: Writing = self._writing()
        self._usual = self.append, self.write
        self._door = door = Door(self, self._pending, places, self._callers)
        self.where, self.where_through = door.where, door.where_through
        self.made_at, self.written_at = door.made_at, door.written_at
        self.seeded, self.received, self.ended = door.seeded, door.received, door.ended
        self.remark, self.watched, self.unwatched = door.remark, door.watched, door.unwatched
        self._unwatch = watch(WeakMethod(self._look), self.room)

    def close(self) -> None:
        """End the recording: what is pending is logged, and what happens later is not.

        The engine may go on reporting. A closed recorder carries out what it is given, as the
        engine does where there is no tape.
        """
        with self._lock:
            if self._open():
                self._pending.look(again=True)
                self._settle()
                self._pending.let_go()
                self.closed = True
                nothing = deque[Node](maxlen=0).append  # keeps nothing, and is as fast
                self.append, self.write = self._usual = nothing, self._write_unrecorded
                self._door.alert = True
                if self._enclosing is not None:  # before the program writes other numbers
                    self._enclosing.settle()
                self._unwatch()
                self.log.end()
                self._writer.let_go()  # no Value is kept alive by whoever still reports here

    def _look(self) -> None:
        """Have the next node or write do something about too many that wait for their pass."""
        if self._pending.piled_up or not self._budget.holds(len(self._pending)):
            self.append, self.write = self._append_last, self._write_last
            self._door.alert = True

    def _append_last(self, value: Node) -> None:
        self.divide()
        self.append(value)

    def _write_last(self, *written: Any) -> None:
        self.divide()
        self.write(*written)

    def divide(self) -> None:
        """Log evaluations that are over, if much is pending, or end if it is too much."""
        with self._lock:
            if self._open():
                self._writer.settle_parts(self._pending)
            self.append, self.write = self._usual

    def _open(self) -> bool:
        """Whether the recording goes on; it ends here if there is no room for what is pending."""
        if not self._budget.holds(len(self._pending)):
            self._writer.settle_parts(self._pending)
            if not self._budget.holds(len(self._pending)):
                self._pending.cut(self.room)  # when it was seen to be too much is chance
                self._stop()
        return not self.closed

    def _check_budget(self, *, end_of_pass: bool = False) -> None:
        """Stop if the budget is spent: at the end of a pass, or when it is spent twice."""
        if self._budget.spent and (end_of_pass or self._budget.overspent):
            self._stop()

    def _stop(self) -> None:
        if not self.closed:
            self.log.spent = True
            self.close()
            self._on_spent(self.log)

    # What the engine reports.

    def backward(self, root: Node) -> None:
        """Run the backward pass from `root`, and log it."""
        with self._lock:
            if self._open():
                self._pending.look(driven=True)
                self._settle()
                report = None if self._enclosing is None else self._report_missed
                self._writer.backward(root, report)
                self._check_budget(end_of_pass=True)
            else:
                computed = ancestors(root)
                operands = [operand for node in computed for operand in node._operands]
                leaves = [operand for operand in operands if operand._operation is LEAF]
                self._report_missed([root, *computed, *leaves])
                propagate(root, computed)

    def _writing(self) -> Writing:
        """Return `write`: a program writes one by one what an optimizer writes at once."""
        made, note = self._pending.made, self._pending.written.append
        known, enclosing = self._writer.known, self._enclosing
        placed = None if self._callers is None else self._callers.placing()

        def write(kind: WriteKind, value: Node, after: float, place: Place | None = None) -> None:
            if made:
                self._driven(kind)
                self.settle()
            try:
                known[value._stamp]
            except KeyError:
                self.adopt(value)
            if enclosing is not None:
                enclosing.missed(value)
            if kind == "update":
                value._data = after
            else:
                value._grad = after
            if place is None and placed is not None:
                place = placed()
            note((kind, value, after, place))

        return write

    def _driven(self, kind: WriteKind) -> None:
        """Look at what runs: whoever clears gradients runs the model, as before a pass."""
        if kind != "update":
            self._pending.look(driven=True)

    def adopt(self, value: Node) -> None:
        """Log what is pending, and a Value and what it was made from, if that is not yet logged."""
        with self._lock:
            if self._open():
                self._settle()
                self._writer.indices([value])

    def _write_unrecorded(
        self, kind: WriteKind, value: Node, after: float, _: Place | None = None
    ) -> None:
        self._report_missed([value])
        assign(kind, [value], [after])

    def write_all(
        self, kind: WriteKind, values: Sequence[Node], after: array[float], rule: Rule | None
    ) -> None:
        """Log the writes of an optimizer, and carry them out."""
        with self._lock:
            if self._open():
                self._driven(kind)
                self._settle()
                self._writer.write_all(kind, values, after, rule)
                self._check_budget()
            self._report_missed(values)
            assign(kind, values, after)

    def mark(self, kind: str, number: int | None) -> None:
        """Log that something begins."""
        with self._lock:
            if self._open():
                self._settle()
                self._writer.add(Marked(self.log.length, kind, number))
                self._check_budget()

    def name(self, value: Node) -> None:
        """Take note of a label; it is resolved when the value's block is written."""
        with self._lock:
            if not self.closed:
                self._pending.name(value)
            if self._enclosing is not None:
                self._enclosing.name(value)

    def seed(self, value: Node, tangent: float) -> None:
        """Take note of a tangent; those of pending nodes are computed with their block."""
        with self._lock:
            if self._open():
                self._pending.seed(value, tangent)

    def move(self, place: Place) -> None:
        """Take note that nodes are made at another place from here on."""
        self._pending.move(place)

    def missed(self, value: Node) -> None:
        """Take note that another tape is about to write a Value; what came of it is logged later.

        Many writes one after the other make one event: what counts is what is there at the end.
        """
        with self._lock:
            if not self.closed:
                if self._pending:
                    self.settle()
                if self._writer.known.has(value):
                    self._missed[value._stamp] = value
            if self._enclosing is not None:
                self._enclosing.missed(value)

    def holds(self, node: Node) -> bool:
        """Whether a node is in the log already."""
        return not self.closed and self._writer.known.has(node)

    def _report_missed(self, values: Iterable[Node]) -> None:
        if self._enclosing is not None:
            for value in values:
                self._enclosing.missed(value)

    # From what is pending to blocks.

    def settle(self) -> None:
        """Write everything that is pending into the log."""
        with self._lock:
            if self._open():
                self._settle()
                self._check_budget()

    def _settle(self) -> None:
        if self._missed:
            missed, self._missed = self._missed, {}
            self._writer.changes.differences(missed.values())
        if self._pending.idle:
            return
        if self._pending.walked:
            self._report_missed(self._writer.walked(self._pending.take_walk()))
            self._check_budget(end_of_pass=True)
        self._writer.settle(self._pending)

    def log_written(self) -> None:
        """Write what was written by hand into the log."""
        with self._lock:
            self._writer.settle_written(self._pending)

    def _settle_for_reader(self) -> None:
        """Settle when the recorded program itself reads; another thread sees what is settled."""
        if active_tape() is self:
            self._pending.look()
            self.settle()
