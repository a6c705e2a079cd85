"""A recorder in a `World` with a bug: it changes what the program does, and records that.

What is left out never reaches the log. What the backward pass does differently, the `Writer` does
and `History` knows; both ask the world. Here passes are never compiled.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Sequence
from typing import Any

from stepgrad.engine.node import Node
from stepgrad.engine.tape import Place, Rule, WriteKind
from stepgrad.engine.world import World
from stepgrad.errors import StepgradError, suggest_or_list
from stepgrad.recording.changes import Writing
from stepgrad.recording.log import Log
from stepgrad.recording.recorder import Recorder


class WorldError(StepgradError):
    """A world breaks a gate that the program does not have; says which there are."""


class ChangedRecorder(Recorder):
    """The recorder of a log that has a world.

    An update is what is written to values after a backward pass, up to the next one; what is
    written before the first one is an input, also later on.
    """

    def __init__(self, log: Log, **settings: Any) -> None:
        assert log.world is not None, "others have the usual recorder"
        self._world: World = log.world
        self._inputs: set[int] = set()  # by stamp, as the next one
        self._updated: set[int] = set()
        self._update = 0
        self._passes = 0
        self._swept = False  # since the latest update
        super().__init__(log, **settings)
        if self._world.gates:
            note = self.append

            def append(value: Node) -> None:
                if self._world.means(value._operation.name):
                    value._operation = self._world.row(value._operation)
                note(value)

            self.append = append
            self._usual = self.append, self.write

    def name(self, value: Node) -> None:
        """Take note of a label; a gate of this name does not work from here on."""
        if self._world.gates and not self.closed and self._world.means(value._label or ""):
            value._operation = self._world.row(value._operation)
        super().name(value)

    def backward(self, root: Node) -> None:
        """Run the backward pass from `root`, and log it."""
        self._passes += 1
        self._swept = True
        super().backward(root)

    def _writing(self) -> Writing:
        write = super()._writing()

        def unless_left_out(
            kind: WriteKind, value: Node, after: float, place: Place | None = None
        ) -> None:
            if not self._left_out(kind, [value], by_hand=True):
                write(kind, value, after, place)

        return unless_left_out

    def write_all(
        self, kind: WriteKind, values: Sequence[Node], after: array[float], rule: Rule | None
    ) -> None:
        """Log the writes of an optimizer and carry them out, unless they are left out."""
        if self.closed or not self._left_out(kind, values, by_hand=rule is None):
            super().write_all(kind, values, after, rule)

    def _left_out(self, kind: WriteKind, values: Sequence[Node], *, by_hand: bool) -> bool:
        """Whether writes do not happen here; counts the updates."""
        if kind == "zero":
            return self._world.bug == "no_zero_grad"
        if kind != "update":
            return False
        stamps = {value._stamp for value in values}
        if by_hand and not (self._passes or any(value._grad for value in values)):
            self._inputs |= stamps
        if by_hand and stamps <= self._inputs:
            return False
        if self._begins(stamps):
            self._update += 1
            self._swept = False
            self._updated.clear()
        self._updated |= stamps
        return self._world.update == self._update

    def _begins(self, stamps: Collection[int]) -> bool:
        """Whether writes begin an update: after a pass, or a second one to the same values."""
        again = not self._passes and not self._updated.isdisjoint(stamps)
        return self._swept or not self._update or again

    def traceable(self, root: Node) -> None:
        """No pass is compiled."""


def check_gates(log: Log) -> None:
    """Make sure that a world with broken gates has broken one in what was recorded.

    Raises:
        WorldError: no gate is called like that; says which there are.
    """
    if log.world is None or not log.world.gates:
        return
    gates: dict[str, None] = {}
    for context, blocks in log.history.index.contexts().items():
        for structure in dict.fromkeys(block.structure for block in blocks):
            for offset in range(len(structure)):
                op = structure.op(offset)
                if op.stands_for:
                    return
                if log.world.row(op) is not op:
                    gates |= {op.name: None, context.names.get(offset, op.name): None}
    told = suggest_or_list(log.world.node, gates) if gates else "; there are none"
    raise WorldError(f"no gate is called `{log.world.node}`{told}")
