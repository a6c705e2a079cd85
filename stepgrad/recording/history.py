"""What a value or a gradient was at any position, from the columns.

Position `n` means that n events have happened. A question costs a few bisections, wherever in the
recording it is asked; only a gradient in the middle of its pass is added up, edge by edge.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from operator import mul
from threading import Lock

from stepgrad.engine.graph import Carry
from stepgrad.recording.blocks import Backward, Block, Forward, Marked, Write
from stepgrad.recording.structure import Structure, index_to_ref, ref_to_index
from stepgrad.recording.sweep import Sweep, Writes

_Written = Sweep | Writes


def _numbers() -> array[int]:
    return array("q")


def _made_at(forward: Forward, node: int) -> int:
    # A constant has no event: it appears with the node made next.
    return forward.start + bisect_left(forward.structure.created, node - forward.base) + 1


_NONE = _numbers()
_KEPT = 1 << 10


class History:
    """Questions about the blocks of a recording, which may still be growing.

    They may be asked in several threads, while another one appends blocks.
    """

    def __init__(self, blocks: Sequence[Block]) -> None:
        self._blocks = blocks
        self._indexed = 0
        self._indexing = Lock()
        self._starts = _numbers()
        self._bases = _numbers()
        self._forwards: list[Forward] = []
        self._bases = _numbers()
        self._shapes: dict[Structure, list[Forward]] = {}
        # What wrote a node: the shapes that write its value and those that write its gradient,
        # and the blocks of each shape. Training has many blocks of few shapes. Passes over the
        # nodes of one forward block are kept by that block.
        self._updates: dict[int, list[Writes]] = defaultdict(list)
        self._grad_shapes: dict[int, list[_Written]] = defaultdict(list)
        self._numbers: dict[_Written, array[int]] = {}
        self._merged: dict[tuple[_Written, ...], tuple[int, array[int]]] = {}
        self._passes: dict[int, array[int]] = defaultdict(_numbers)
        self._sums: dict[tuple[int, int], list[float | None]] = {}
        # Where training steps begin: as marked; or implicitly, with the first forward pass after a
        # backward pass or one in forward mode, and with the marks right before it.
        self._marked: list[int] = []
        self._implicit_steps: list[int] = []
        self._step_due = True
        self._pending_mark: int | None = None

    def forward_of(self, node: int) -> Forward:
        """Return the block in which a node was made."""
        self._catch_up()
        return self._forwards[bisect_right(self._bases, node) - 1]

    def shapes(self) -> Mapping[Structure, Sequence[Forward]]:
        """Return the structures there are, each with its forward passes in order."""
        self._catch_up()
        return dict(self._shapes)  # another thread may find more while this one reads

    def steps(self) -> Sequence[int]:
        """Return the positions at which training steps begin (see `Recording.steps`)."""
        self._catch_up()
        return self._marked or self._implicit_steps

    def updated(self) -> Sequence[int]:
        """Return the nodes whose value is written after they are made, in order."""
        self._catch_up()
        return sorted(self._updates.copy())

    def made_at(self, node: int) -> int:
        """Return the position just after a node came to be."""
        return _made_at(self.forward_of(node), node)

    def value(self, node: int, position: int) -> float | None:
        """Return a node's value, or None where it is not made yet."""
        forward = self.forward_of(node)
        if position < _made_at(forward, node):
            return None
        return self._value(forward, node, position)

    def _value(self, forward: Forward, node: int, position: int) -> float:
        """Return the value of a node that is made, in a forward block."""
        updates = self._blocks_of(self._updates.get(node, ()))
        for number in reversed(range(bisect_right(updates, self._last_block(position)))):
            block = self._blocks[updates[number]]
            assert isinstance(block, Write)
            places = block.writes.updates[node]
            if before := bisect_left(places, position - block.start):
                return block.after[places[before - 1]]
        return forward.values[node - forward.base]

    def values(self, forward: Forward, position: int) -> list[float]:
        """Return the values of all nodes of a forward block at a position after it."""
        self._catch_up()
        values = list(forward.values)
        nodes = range(forward.base, forward.base + len(values))
        for node in filter(self._updates.__contains__, nodes):
            values[node - forward.base] = self._value(forward, node, position)
        return values

    def first_value(self, node: int) -> float:
        """Return the value with which a node was made."""
        forward = self.forward_of(node)
        return forward.values[node - forward.base]

    def tangent(self, node: int, position: int) -> float | None:
        """Return a node's tangent, or None where it is not made yet, or not in forward mode."""
        forward = self.forward_of(node)
        if forward.tangents is None or position < _made_at(forward, node):
            return None
        return forward.tangents[node - forward.base]

    def grad(self, node: int, position: int) -> float | None:
        """Return a node's gradient, or None where nothing has reached it.

        A computed node's gradient is cleared by the seed of the next pass that reaches it, and is
        None again until the pass comes to it.
        """
        for block, count in self.gradient_writes(node, position):
            if isinstance(block, Write):
                return block.after[block.writes.gradients[node][count - 1]]
            column = block.sweep.column[index_to_ref(node, block.base)]
            if count == len(block.sweep.incoming[column]):
                return block.grads[column]
            return self._partial(block, column, count)
        return None

    def _partial(self, block: Backward, column: int, arrived: int) -> float | None:
        """Add up the first contributions of a pass, in the order in which the engine did.

        The partial sums are kept: stepping through a pass asks at each event, and a shared weight
        has thousands of edges.
        """
        key = block.start, column
        sums = self._sums.get(key) or [self._carried(block, column)]
        if len(sums) <= arrived:
            sums = sums.copy()  # another thread may be reading it
            for edge in block.sweep.incoming[column][len(sums) - 1 : arrived]:
                total, (_, _, contribution) = sums[-1], self.edge(block, edge)
                sums.append((0.0 if total is None else total) + contribution)
            if len(self._sums) >= _KEPT:
                self._sums.clear()
            self._sums[key] = sums
        return sums[arrived]

    def _carried(self, block: Backward, column: int) -> float | None:
        """Return what a pass adds to: for a leaf, what was left over; else None."""
        if column < block.sweep.computed:
            return None
        return self.grad(ref_to_index(block.sweep.refs[column], block.base), block.start)

    def edge(self, block: Backward, edge: int) -> tuple[float, float, float]:
        """Return the upstream gradient of an edge of a pass, the local derivative, and what passes.

        That is their product, or 0 where a gate is shut.
        """
        upstream = block.grads[block.sweep.outs[edge]]
        carry = self.carry(*block.edge(edge), block.start)
        return upstream, carry(1.0), carry(upstream)

    def local(self, out: int, slot: int, position: int) -> float:
        """Return ∂out/∂operand with the values of a position at which `out` is made."""
        return self.carry(out, slot, position)(1.0)

    def carry(self, out: int, slot: int, position: int) -> Carry:
        """Return what an operand is handed, as a function of what arrives at `out`."""
        forward = self.forward_of(out)
        structure, offset = forward.structure, out - forward.base
        op = structure.op(offset)
        constant = op.partials[slot].constant
        if constant is not None:  # half of all edges are those of sums
            return partial(mul, constant)
        values = []
        for ref in structure.operands(offset):
            node = ref_to_index(ref, forward.base)
            made = forward if ref >= 0 else self.forward_of(node)
            values.append(self._value(made, node, position))
        values.append(self._value(forward, out, position))
        return partial(op.carry[slot], *values)

    def block_at(self, event: int) -> int:
        """Return the number of the block that holds an event (counted from 0)."""
        self._catch_up()
        return bisect_right(self._starts, event) - 1

    def gradient_writes(
        self, node: int, position: int
    ) -> Iterator[tuple[Write, int] | tuple[Backward, int]]:
        """Yield the blocks that have written a node's gradient by a position, the latest first.

        With each comes how often it has: the writes in a block of writes, the contributions of a
        pass. Those of a pass may be 0: its seed clears a computed node, and is the gradient of a
        leaf that it starts from.
        """
        for block in self._gradient_blocks(node, position):
            done = position - block.start
            if isinstance(block, Write):
                if count := bisect_left(block.writes.gradients[node], done):
                    yield block, count
                continue
            column = block.sweep.column[index_to_ref(node, block.base)]
            edges = block.sweep.incoming[column]
            count = bisect_right(edges, done - 2)
            if count or not edges or column < block.sweep.computed:
                yield block, count

    def _gradient_blocks(self, node: int, position: int) -> Iterator[Write | Backward]:
        """Yield the blocks begun by a position that write a node's gradient, the latest first."""
        own = self._passes.get(self.forward_of(node).base, _NONE)
        named = self._blocks_of(self._grad_shapes.get(node, ()))
        last = self._last_block(position)
        i, j = bisect_right(own, last), bisect_right(named, last)
        while i or j:
            if j == 0 or (i and own[i - 1] > named[j - 1]):
                i -= 1
                block = self._blocks[own[i]]
            else:
                j -= 1
                block = self._blocks[named[j]]
            if isinstance(block, Write) or (
                isinstance(block, Backward) and index_to_ref(node, block.base) in block.sweep.column
            ):
                yield block

    def _last_block(self, position: int) -> int:
        """Return the number of the block of the last event; -1 where none has happened."""
        return bisect_right(self._starts, position - 1) - 1

    def _blocks_of(self, shapes: Sequence[_Written]) -> array[int]:
        """Return the numbers of all blocks of these shapes, in order."""
        if not shapes:
            return _NONE
        if len(shapes) == 1:
            return self._numbers[shapes[0]]
        key = tuple(shapes)
        indexed, merged = self._merged.get(key, (0, _NONE))
        if indexed < self._indexed:
            now = self._indexed
            numbers = (self._numbers[shape] for shape in shapes)
            # Not beyond `now`: another thread may be adding to one of them while we read another.
            new = chain.from_iterable(
                each[bisect_left(each, indexed) : bisect_left(each, now)] for each in numbers
            )
            # Not in place: another thread may be reading it.
            merged = merged + array("q", sorted(new))
            self._merged[key] = now, merged
        return merged

    def _catch_up(self) -> None:
        """Index the blocks that were added since the last question."""
        if self._indexed == len(self._blocks):
            return
        with self._indexing:
            for number in range(self._indexed, len(self._blocks)):
                self._index(number, self._blocks[number])
                self._indexed = number + 1

    def _index(self, number: int, block: Block) -> None:
        match block:
            case Forward():
                self._forwards.append(block)
                self._bases.append(block.base)
                self._shapes.setdefault(block.structure, []).append(block)
                if self._step_due or block.tangents is not None:
                    self._implicit_steps.append(
                        block.start if self._pending_mark is None else self._pending_mark
                    )
                self._step_due = block.tangents is not None
            case Backward():
                self._passes[block.base].append(number)
                if block.sweep not in self._numbers:
                    self._register(block.sweep, block.sweep.outer)
                self._numbers[block.sweep].append(number)
                self._step_due = True
            case Write():
                if block.writes not in self._numbers:
                    self._register(block.writes, block.writes.gradients)
                    for node in block.writes.updates:
                        self._updates[node].append(block.writes)
                self._numbers[block.writes].append(number)
            case Marked(kind=kind):
                if kind == "step":
                    self._marked.append(block.start)
                if self._pending_mark is None:
                    self._pending_mark = block.start
        if not isinstance(block, Marked):
            self._pending_mark = None
        self._starts.append(block.start)

    def _register(self, shape: _Written, nodes: Iterable[int]) -> None:
        """Register a new shape, which writes the gradients of these nodes of earlier blocks."""
        self._numbers[shape] = _numbers()
        for node in nodes:
            self._grad_shapes[node].append(shape)
