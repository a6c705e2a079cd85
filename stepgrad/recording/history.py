"""What a value or a gradient was at any position, from the columns.

Position `n` means that n events have happened. A question costs a few bisections, wherever in the
recording it is asked; only a gradient in the middle of its pass is summed up, from its own edges.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from threading import Lock

from stepgrad.recording.blocks import Backward, Block, Forward, Write
from stepgrad.recording.structure import Structure, index_to_ref, ref_to_index

_Index = defaultdict[int, "array[int]"]


def _numbers() -> array[int]:
    return array("q")


def _made_at(forward: Forward, node: int) -> int:
    # A constant comes with the node made next.
    return forward.start + bisect_left(forward.structure.created, node - forward.base) + 1


_NONE = _numbers()
_KEPT = 1 << 10


class History:
    """Questions about the blocks of a recording, which may still be growing."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self._blocks = blocks
        self._indexed = 0
        self._lock = Lock()  # a search in one thread and a screen in another may both ask
        self._starts = _numbers()
        self._bases = _numbers()
        self._forwards: list[Forward] = []
        self._shapes: dict[Structure, list[Forward]] = {}
        # Where to look for what happened to a node: the events that wrote its value, and the
        # blocks that wrote its gradient. Passes over a forward block's own nodes are kept by block.
        self._updates: _Index = defaultdict(_numbers)
        self._grad_blocks: _Index = defaultdict(_numbers)
        self._passes: _Index = defaultdict(_numbers)
        self._sums: dict[tuple[int, int], list[float | None]] = {}

    def forward_of(self, node: int) -> Forward:
        """Return the block in which a node was made."""
        self._catch_up()
        return self._forwards[bisect_right(self._bases, node) - 1]

    def shapes(self) -> Mapping[Structure, Sequence[Forward]]:
        """Return the structures there are, each with its forward passes in order."""
        self._catch_up()
        return self._shapes

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
        updates = self._updates.get(node)
        if updates is not None and (before := bisect_left(updates, position)):
            event = updates[before - 1]
            block = self._blocks[self.block_at(event)]
            assert isinstance(block, Write)
            return block.after[event - block.start]
        return forward.values[node - forward.base]

    def values(self, forward: Forward, position: int) -> list[float]:
        """Return the values of all nodes of a forward block at a position after it."""
        self._catch_up()
        values = forward.values.tolist()
        nodes = range(forward.base, forward.base + len(values))
        for node in filter(self._updates.__contains__, nodes):
            values[node - forward.base] = self._value(forward, node, position)
        return values

    def first_value(self, node: int) -> float:
        """Return the value with which a node was made."""
        forward = self.forward_of(node)
        return forward.values[node - forward.base]

    def grad(self, node: int, position: int) -> float | None:
        """Return a node's gradient, or None where nothing has reached it.

        A computed node's gradient is cleared by the seed of the next pass that reaches it, and is
        None again until the pass comes to it.
        """
        for block in self.gradient_writers(node, position):
            done = position - block.start
            if isinstance(block, Write):
                places = block.writes.gradients[node]
                if before := bisect_left(places, done):
                    return block.after[places[before - 1]]
                continue
            column = block.sweep.column[index_to_ref(node, block.base)]
            edges = block.sweep.incoming[column]
            arrived = bisect_right(edges, done - 2)
            if arrived == len(edges):
                return block.grads[column]
            computed = column < block.sweep.computed
            if arrived or computed:
                return self._partial(block, column, arrived)
        return None

    def _partial(self, block: Backward, column: int, arrived: int) -> float | None:
        """Add up the first contributions of a pass, in the order in which the engine did.

        The sums on the way are kept: who steps through a pass asks at each event, and a shared
        weight has thousands of edges.
        """
        key = block.start, column
        sums = self._sums.get(key) or [self._carried(block, column)]
        if len(sums) <= arrived:
            sums = sums.copy()  # another thread may be reading it
            for edge in block.sweep.incoming[column][len(sums) - 1 : arrived]:
                upstream, local = self.edge(block, edge)
                total = sums[-1]
                sums.append((0.0 if total is None else total) + upstream * local)
            if len(self._sums) >= _KEPT:
                self._sums.clear()
            self._sums[key] = sums
        return sums[arrived]

    def _carried(self, block: Backward, column: int) -> float | None:
        """Return what a pass adds to: for a leaf what earlier passes left, else nothing."""
        if column < block.sweep.computed:
            return None
        return self.grad(ref_to_index(block.sweep.refs[column], block.base), block.start)

    def edge(self, block: Backward, edge: int) -> tuple[float, float]:
        """Return the upstream gradient and the local derivative of an edge of a pass."""
        return block.grads[block.sweep.outs[edge]], self.local(*block.edge(edge), block.start)

    def local(self, out: int, slot: int, position: int) -> float:
        """Return ∂out/∂operand with the values of a position at which `out` is made."""
        forward = self.forward_of(out)
        structure, offset = forward.structure, out - forward.base
        op = structure.op(offset)
        constant = op.partials[slot].constant
        if constant is not None:  # half of all edges are those of sums
            return constant
        values = []
        for ref in structure.operands(offset):
            node = ref_to_index(ref, forward.base)
            made = forward if ref >= 0 else self.forward_of(node)
            values.append(self._value(made, node, position))
        return op.local[slot](*values, self._value(forward, out, position))

    def block_at(self, event: int) -> int:
        """Return the number of the block that holds an event (counted from 0)."""
        self._catch_up()
        return bisect_right(self._starts, event) - 1

    def gradient_writers(self, node: int, position: int) -> Iterator[Backward | Write]:
        """Yield the blocks before a position that write a node's gradient, the latest first."""
        own = self._passes.get(self.forward_of(node).base, _NONE)
        named = self._grad_blocks.get(node, _NONE)
        last = bisect_right(self._starts, position - 1) - 1
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

    def _catch_up(self) -> None:
        """Take the blocks that have come since the last question into the indices."""
        if self._indexed == len(self._blocks):
            return
        with self._lock:
            for number in range(self._indexed, len(self._blocks)):
                self._index(number, self._blocks[number])
                self._indexed = number + 1

    def _index(self, number: int, block: Block) -> None:
        self._starts.append(block.start)
        match block:
            case Forward():
                self._forwards.append(block)
                self._bases.append(block.base)
                self._shapes.setdefault(block.structure, []).append(block)
            case Backward():
                self._passes[block.base].append(number)
                for node in block.sweep.outer:
                    self._grad_blocks[node].append(number)
            case Write():
                for node in block.writes.gradients:
                    self._grad_blocks[node].append(number)
                for node, places in block.writes.updates.items():
                    self._updates[node].extend(block.start + place for place in places)
