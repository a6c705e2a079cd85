"""The part of a recorder for passes that come whole, without Values (`traced.py`)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from array import array
from collections.abc import Callable, Sequence
from threading import RLock

from stepgrad.engine.node import Node
from stepgrad.engine.tape import Place, Rule, WriteKind
from stepgrad.recording.blocks import Column, Forward
from stepgrad.recording.budget import Budget
from stepgrad.recording.foreign.remark import Remark
from stepgrad.recording.log import Log
from stepgrad.recording.pending import Pending
from stepgrad.recording.structure import Context, Structure
from stepgrad.recording.sweep import Sweep
from stepgrad.recording.template import Made
from stepgrad.recording.writer import Writer


class Blockwise(ABC):
    """Logs blocks that somebody else has made."""

    log: Log
    closed: bool
    waiting: Callable[[], int] = int  # 0
    """How many nodes wait in a pass that will come whole."""
    _budget: Budget
    _lock: RLock
    _pending: Pending
    _writer: Writer

    @abstractmethod
    def _check_budget(self, *, end_of_pass: bool = False) -> None: ...

    @property
    def room(self) -> int:
        """The most nodes that a pass may have that begins now and is to be recorded to its end."""
        return self._budget.room

    @property
    def nodes(self) -> int:
        """How many nodes there are by now, in the log or not yet."""
        return self.log.size + self._pending.nodes + self.waiting()

    @property
    def pending(self) -> bool:
        """Whether nodes are waiting that will share a block with those made next."""
        return bool(self._pending.made)

    def traceable(self, root: Node) -> tuple[Made, Sweep, tuple[Forward, ...]] | None:
        """Return the latest forward pass, and how backward goes from `root`: `Writer.traceable`."""
        return self._writer.traceable(root)

    def log_forward(
        self,
        structure: Structure,
        earlier: tuple[Forward, ...],
        context: Context,
        values: array[float],
        stored: Column = (),
    ) -> Forward:
        """Log a forward block, and return it."""
        with self._lock:
            start, base = self.log.length, self.log.size
            block = Forward(start, structure, base, values, None, earlier, context, stored)
            if not self.closed:
                self._writer.add(block)
            return block

    def log_backward(self, sweep: Sweep, over: tuple[Forward, ...], grads: array[float]) -> None:
        """Log a backward block."""
        with self._lock:
            if not self.closed:
                self._writer.add_backward(sweep, over, grads)
                self._check_budget(end_of_pass=True)

    def log_writes(
        self,
        kinds: Sequence[WriteKind],
        nodes: Sequence[int],
        places: Sequence[Place | None],
        after: Sequence[float],
    ) -> None:
        """Log writes that the program has made by hand, as phases by kind."""
        with self._lock:
            if not self.closed:
                self._writer.changes.to_nodes(tuple(kinds), nodes, tuple(places), after)
                self._check_budget()

    def log_rule(
        self,
        kind: WriteKind,
        nodes: Sequence[int],
        place: Place | None,
        after: array[float],
        rule: Rule,
    ) -> None:
        """Log what an optimizer has written, on a line."""
        with self._lock:
            if not self.closed:
                self._writer.changes.to_nodes_by_rule(kind, nodes, place, after, rule)
                self._check_budget()

    def log_remark(self, remark: Remark) -> None:
        """Log what no event can show."""
        with self._lock:
            if not self.closed:
                self.log.remark(remark)
