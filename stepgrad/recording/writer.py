"""The writer of a log: what a recorder has collected becomes blocks of a recording.

The shape of a block is recognised among the known ones, its numbers are packed into a column.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterable, Sequence

from stepgrad.engine.node import Node
from stepgrad.engine.ops import CONSTANT
from stepgrad.engine.tape import Place, Rule, WriteKind
from stepgrad.recording.blocks import Backward, Block, Forward, Write
from stepgrad.recording.budget import Budget
from stepgrad.recording.recording import Recording
from stepgrad.recording.shapes import (
    Context,
    Known,
    Participants,
    Pass,
    Shape,
    refs,
    same_values,
    unlogged,
)
from stepgrad.recording.structure import Structure, ref_to_index
from stepgrad.recording.sweep import Sweep, Writes


class Writer:
    """Adds blocks to a recording, and knows which Values are in it.

    Args:
        recording: where the blocks go.
        budget: what pays for them.
    """

    def __init__(self, recording: Recording, budget: Budget) -> None:
        self.known = Known()
        self._recording = recording
        self._budget = budget
        self._structures: dict[tuple[bytes, Context], list[Structure]] = {}
        self._shapes: dict[Structure, Shape] = {}
        # By node count and context: the template that recurred last, tried first.
        self._expected: dict[tuple[int, Context], Shape] = {}
        self._writes: dict[object, Writes] = {}
        self._latest_writes: dict[WriteKind, tuple[Sequence[Node], Writes]] = {}
        self._latest: tuple[Shape, list[Node], int] | None = None

    def let_go(self) -> None:
        """Keep no Value alive: nothing more will be written."""
        for kept in (self._shapes, self._expected, self._latest_writes):
            kept.clear()
        self._latest = None

    def add(self, block: Block) -> None:
        """Add a block."""
        self._recording.add(block)
        self._budget.take(block)

    def rename(self, value: Node) -> None:
        """Give a node its label, if it is in the log and has one."""
        if value._label and self.known.has(value):
            self._recording.rename(self.known.index(value), value._label)
            self._budget.take_name()

    # Passes.

    def indices(self, values: Sequence[Node]) -> tuple[int, ...]:
        """Return where in the log Values are, after adding those that are unlogged."""
        known = self.known
        try:
            return tuple([known[value._stamp] for value in values])
        except KeyError:
            self._adopt(values)
            return tuple([known[value._stamp] for value in values])

    def participants(self, root: Node) -> tuple[Participants, int]:
        """Return what takes part in a backward pass, and the index that its refs count from."""
        self.indices([root])
        assert self._latest is not None, "the root at least is in the log"
        shape, nodes, base = self._latest
        return shape.participants(root, nodes, base, self.known), base

    def latest(self, root: Node) -> Pass | None:
        """Return the latest forward pass, and the sweep from `root`.

        None if the sweep does not start from a computed node of this pass, or leads through
        computed nodes of others.
        """
        if self._latest is None:
            return None
        shape, nodes, base = self._latest
        if not self.known.has(root) or self.known.index(root) < base:
            return None
        sweep = shape.participants(root, nodes, base, self.known).sweep
        if not sweep.computed or min(sweep.refs[: sweep.computed]) < 0:
            return None
        earlier = {~self.known.index(value): value for value in shape.outer}
        return Pass(shape.structure, base, earlier, sweep)

    def add_forward(
        self, structure: Structure, values: array[float], tangents: array[float] | None = None
    ) -> int:
        """Add a forward block; return the index of its first node."""
        base = self._recording.size
        self.add(Forward(self._recording.length, structure, base, values, tangents))
        return base

    def add_backward(self, sweep: Sweep, base: int, grads: array[float]) -> None:
        """Add a backward block whose refs count from `base`."""
        root = ref_to_index(sweep.root, base)
        self.add(Backward(self._recording.length, sweep, root, base, grads))

    def forward(
        self, nodes: list[Node], context: Context, tangents: array[float] | None = None
    ) -> None:
        """Add a forward block of Values."""
        shape = self._expected.get((len(nodes), context))
        if shape is None or not shape.fits(nodes):
            try:
                shape = self._shape(nodes, context)
            except KeyError:
                self._forward_with_unlogged(nodes, context, tangents)
                return
        base = self.add_forward(shape.structure, column([node._data for node in nodes]), tangents)
        self.known.add(nodes, base)
        self._latest = shape, nodes, base

    def _forward_with_unlogged(
        self, nodes: list[Node], context: Context, tangents: array[float] | None
    ) -> None:
        """Add nodes that use unlogged Values, after these, which may use some of the nodes in turn.

        They do where a thread that is not recorded made them of pending Values.
        """
        operands = [operand for node in nodes for operand in node._operands]
        new = unlogged(operands, self.known, nodes)
        used = {operand._stamp for value in new for operand in value._operands}
        cut = max((i + 1 for i, node in enumerate(nodes) if node._stamp in used), default=0)
        if not cut:
            self._adopt(operands, pending=nodes)
            self.forward(nodes, context, tangents)
            return
        for first, last in ((0, cut), (cut, len(nodes))):
            part = None if tangents is None else tangents[first:last]
            self.forward(nodes[first:last], context.part(first, last), part)

    def _adopt(self, values: Iterable[Node], pending: Sequence[Node] = ()) -> None:
        """Add those of `values` that are unlogged, with all they were made from.

        Values in `pending` count as logged: they are about to be.
        """
        nodes = unlogged(values, self.known, pending)
        if not nodes:
            return
        names = tuple((i, node._label) for i, node in enumerate(nodes) if node._label)
        self.forward(nodes, Context(names, ((0, Place()),)))
        # Gradients of passes that were not recorded.
        carried = [node for node in nodes if node._grad and node._operation is not CONSTANT]
        kinds: list[WriteKind] = ["set"] * len(carried)
        indices = tuple(map(self.known.index, carried))
        self.write(tuple(kinds), indices, [node._grad for node in carried])

    def _shape(self, nodes: list[Node], context: Context) -> Shape:
        """Describe nodes, and find out whether there were others like them.

        Raises:
            KeyError: one of them uses an unlogged Value.
        """
        operands, outer = refs(nodes, self.known)
        codes = bytes([node._operation.code for node in nodes])
        alike = self._structures.setdefault((codes, context), [])
        structure = next((each for each in alike if each.refs == operands), None)
        if structure is None:
            structure = Structure(codes, operands, dict(context.names), context.places)
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

    # Writes.

    def write(
        self,
        kinds: tuple[WriteKind, ...],
        nodes: tuple[int, ...],
        after: Sequence[float],
        places: tuple[tuple[int, Place], ...] = (),
    ) -> None:
        """Add a block of writes by hand, if there are any."""
        if nodes:
            self._add_write(self._writes_to(kinds, nodes, places), column(after), None)

    def write_all(
        self, kind: WriteKind, values: Sequence[Node], after: array[float], rule: Rule | None
    ) -> None:
        """Add the writes of an optimizer, if there are any."""
        if not values:
            return
        before, writes = self._latest_writes.get(kind, ((), None))
        # The next step of the same optimizer writes the same Values.
        if writes is None or not same_values(values, before):
            writes = self._writes_to((kind,) * len(values), self.indices(values))
            self._latest_writes[kind] = values[:], writes
        self._add_write(writes, after, rule)

    def write_differences(self, values: Iterable[Node]) -> None:
        """Add what has become of Values in the log, where that is not what it says."""
        history = self._recording.history
        for value in values:
            index, now = self.known.index(value), self._recording.length
            if not _same(history.value(index, now), value._data):
                self.write(("update",), (index,), [value._data])
            grad = history.grad(index, now) or 0.0
            if not _same(grad, value._grad) and value._operation is not CONSTANT:
                self.write(("set",), (index,), [value._grad])

    def _writes_to(
        self,
        kinds: tuple[WriteKind, ...],
        nodes: tuple[int, ...],
        places: tuple[tuple[int, Place], ...] = (),
    ) -> Writes:
        key = kinds, nodes, places
        return self._writes.get(key) or self._writes.setdefault(key, Writes(*key))

    def _add_write(self, writes: Writes, after: array[float], rule: Rule | None) -> None:
        self.add(Write(self._recording.length, writes, after, rule))


def _same(logged: float | None, actual: float) -> bool:
    return logged == actual or (logged != logged and actual != actual)


def column(numbers: Sequence[float]) -> array[float]:
    """Pack numbers."""
    # Packing first is three times as fast as array("d", numbers).
    return array("d", struct.pack(f"{len(numbers)}d", *numbers))
