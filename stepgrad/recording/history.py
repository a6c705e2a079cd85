"""What a value or a gradient was at any position, from the columns.

Position `n` means that n events have happened. A question costs a few bisections, wherever in the
recording it is asked; only a gradient in the middle of its pass is summed up, from its own edges.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from stepgrad.recording.blocks import Backward, Block, Forward, Write
from stepgrad.recording.structure import Structure, index_to_ref, ref_to_index

_Index = defaultdict[int, "array[int]"]


def _numbers() -> array[int]:
    return array("q")


class History:
    """Questions about the blocks of a recording, which may still be growing."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self._blocks = blocks
        self._indexed = 0
        self._forwards: list[Forward] = []
        self._bases = _numbers()
        self._shapes: dict[Structure, list[Forward]] = {}
        # Where to look for what happened to a node: the events that wrote its value, and the
        # blocks that wrote its gradient. Passes over a forward block's own nodes are kept by block.
        self._updates: _Index = defaultdict(_numbers)
        self._grad_blocks: _Index = defaultdict(_numbers)
        self._passes: _Index = defaultdict(_numbers)

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
        block = self.forward_of(node)
        # A constant comes with the node made next.
        return block.start + bisect_left(block.structure.created, node - block.base) + 1

    def value(self, node: int, position: int) -> float | None:
        """Return a node's value, or None where it is not made yet."""
        if position < self.made_at(node):
            return None
        updates = self._updates.get(node)
        if updates is not None and (before := bisect_left(updates, position)):
            event = updates[before - 1]
            block = self._blocks[self.block_at(event)]
            assert isinstance(block, Write)
            return block.after[event - block.start]
        return self.first_value(node)

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
        """Add up the first contributions of a pass, in the order in which the engine did."""
        total = None
        if column >= block.sweep.computed:
            leaf = ref_to_index(block.sweep.refs[column], block.base)
            total = self.grad(leaf, block.start)
        for edge in block.sweep.incoming[column][:arrived]:
            upstream, local = self.edge(block, edge)
            total = (0.0 if total is None else total) + upstream * local
        return total

    def edge(self, block: Backward, edge: int) -> tuple[float, float]:
        """Return the upstream gradient and the local derivative of an edge of a pass."""
        return block.grads[block.sweep.outs[edge]], self.local(*block.edge(edge), block.start)

    def local(self, out: int, slot: int, position: int) -> float:
        """Return ∂out/∂operand with the values of a position at which `out` is made."""
        forward = self.forward_of(out)
        offset = out - forward.base
        operands = [
            self.value(ref_to_index(ref, forward.base), position)
            for ref in forward.structure.operands(offset)
        ]
        return forward.structure.op(offset).local[slot](*operands, self.value(out, position))

    def block_at(self, event: int) -> int:
        """Return the number of the block that holds an event (counted from 0)."""
        return bisect_right(self._blocks, event, key=lambda block: block.start) - 1

    def gradient_writers(self, node: int, position: int) -> Iterator[Backward | Write]:
        """Yield the blocks before a position that write a node's gradient, the latest first."""
        self._catch_up()
        empty = _numbers()
        own = self._passes.get(self.forward_of(node).base, empty)
        named = self._grad_blocks.get(node, empty)
        last = self.block_at(position - 1) if position else -1
        i, j = bisect_right(own, last), bisect_right(named, last)
        while i or j:
            if j == 0 or (i and own[i - 1] > named[j - 1]):
                i -= 1
                block = self._blocks[own[i]]
            else:
                j -= 1
                block = self._blocks[named[j]]
            assert isinstance(block, Backward | Write)
            if isinstance(block, Write) or index_to_ref(node, block.base) in block.sweep.column:
                yield block

    def _catch_up(self) -> None:
        """Take the blocks that have come since the last question into the indices."""
        if self._indexed == len(self._blocks):  # as it nearly always is
            return
        for number in range(self._indexed, len(self._blocks)):
            match self._blocks[number]:
                case Forward() as block:
                    self._forwards.append(block)
                    self._bases.append(block.base)
                    self._shapes.setdefault(block.structure, []).append(block)
                case Backward() as block:
                    self._passes[block.base].append(number)
                    for node in block.sweep.outer:
                        self._grad_blocks[node].append(number)
                case Write() as block:
                    for node in block.writes.gradients:
                        self._grad_blocks[node].append(number)
                    for node, places in block.writes.updates.items():
                        self._updates[node].extend(block.start + place for place in places)
        self._indexed = len(self._blocks)
