"""What a value or a gradient was at any position, and what every event was, from the columns.

Position `n` means that n events have happened. A question costs a few bisections, wherever in the
log it is asked; only a gradient in the middle of its pass is added up, edge by edge.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import partial
from math import nan
from operator import mul

from stepgrad.engine.graph import Carry
from stepgrad.engine.ops import Op
from stepgrad.engine.world import World, added, incomplete
from stepgrad.recording import events
from stepgrad.recording.blocks import Backward, Block, Forward, Marked, Write
from stepgrad.recording.events import Event
from stepgrad.recording.foreign import derived
from stepgrad.recording.foreign.sweep import ForeignBackward
from stepgrad.recording.index import Index
from stepgrad.recording.kept import Bounded, kept

_ALL = -1


class History:
    """Questions about the blocks of a log, which may still be growing.

    They may be asked in several threads, while another one appends blocks.
    """

    def __init__(
        self, blocks: Sequence[Block], forwards: Sequence[Forward], bases: Sequence[int]
    ) -> None:
        self.index = Index(blocks)
        self.world: World | None = None
        self._blocks = blocks
        self._forwards = forwards
        self._bases = bases
        self._sums = Bounded[tuple[int, int], list[float | None]](1 << 10)

    def forward_of(self, node: int) -> Forward:
        """Return the block in which a node was made."""
        return self._forwards[bisect_right(self._bases, node) - 1]

    def operation(self, node: int) -> tuple[Op, Sequence[int]]:
        """Return what computed a node, and from which."""
        forward = self.forward_of(node)
        structure, offset = forward.structure, node - forward.base
        return structure.op(offset), forward.nodes(structure.operands(offset))

    def block_at(self, event: int) -> int:
        """Return the number of the block that holds an event (counted from 0); -1 before all."""
        return self.index.block_at(event)

    def made_at(self, node: int) -> int:
        """Return the position just after a node came to be."""
        return self.forward_of(node).made_at(node)

    def value(self, node: int, position: int) -> float | None:
        """Return a node's value, or None where it is not made yet."""
        forward = self.forward_of(node)
        if position < forward.made_at(node):
            return None
        return self._value(forward, node, position)

    def _value(self, forward: Forward, node: int, position: int) -> float:
        """Return the value of a node that is made, in a forward block."""
        if self.index.is_updated(node) and (written := self.value_write(node, position)):
            block, write = written
            return block.after[write]
        return forward.values[node - forward.base]

    def value_write(self, node: int, position: int) -> tuple[Write, int] | None:
        """Return the block that last wrote a node's value by a position, and which write it was.

        None where the node still has the value that it was made with.
        """
        written = self.index.value_writes(node)
        begun = bisect_right(written, self.index.block_at(position - 1)) if written else 0
        for at in range(begun - 1, -1, -1):
            block = self._blocks[written[at]]
            assert isinstance(block, Write)
            updates = block.writes.updates[node]
            if before := bisect_left(updates, position - block.start):
                return block, updates[before - 1]
        return None

    def values(self, forward: Forward, position: int) -> list[float]:
        """Return the values of all nodes of a forward block at a position after it."""
        values = list(forward.values)
        for node in filter(self.index.is_updated, range(forward.base, forward.end)):
            values[node - forward.base] = self._value(forward, node, position)
        return values

    def first_value(self, node: int) -> float:
        """Return the value with which a node was made."""
        forward = self.forward_of(node)
        return forward.values[node - forward.base]

    def tangent(self, node: int, position: int) -> float | None:
        """Return a node's tangent, or None where it is not made yet, or not in forward mode."""
        forward = self.forward_of(node)
        if forward.tangents is None or position < forward.made_at(node):
            return None
        return forward.tangents[node - forward.base]

    def grad(self, node: int, position: int) -> float | None:
        """Return a node's gradient, or None where nothing has reached it.

        A computed node's gradient is cleared by the seed of the next pass that reaches it, and is
        None again until the pass comes to it; only a pass of the program's own clears nothing.
        """
        found = self._written(node, position)
        if found is None:
            return None
        block, column, count = found
        if isinstance(block, Write):
            return block.after[block.writes.gradients[node][count - 1]]
        if count == _ALL:
            return block.grads[column]
        if isinstance(block, ForeignBackward):
            return block.left(column, count)
        return self._partial(block, column, count)

    def _partial(self, block: Backward, column: int, arrived: int) -> float | None:
        """Add up the first contributions of a pass, in the order in which the engine did.

        The partial sums are kept: stepping through a pass asks at each event, and a shared weight
        has thousands of edges.
        """
        key = block.start, column
        sums = self._sums.get(key) or [self._carried(block, column)]
        if len(sums) <= arrived:
            sums = sums.copy()  # another thread may be reading it
            outs, upstreams = block.sweep.outs, self.upstreams(block)
            for edge in block.sweep.incoming[column][len(sums) - 1 : arrived]:
                arrives = self._edge(block, edge)(upstreams[outs[edge]])
                sums.append(added(self.world, sums[-1], arrives))
            self._sums[key] = sums
        return sums[arrived]

    def _carried(self, block: Backward, column: int) -> float | None:
        """Return what a pass adds to: for a leaf, what was left over; else None."""
        if column < block.sweep.lasting:
            return None
        return self.grad(block.node(column), block.start)

    def edge(self, block: Backward, edge: int) -> tuple[float, float, float]:
        """Return the upstream gradient of an edge of a pass, the local derivative, and what passes.

        That is their product, or 0 where a gate is shut; or whatever a rule of the program wrote.
        """
        carry = self._edge(block, edge)
        if isinstance(block, ForeignBackward):
            contribution = derived.change(self, block, edge + 1)
            return derived.upstream(self, block, edge), carry(1.0), contribution
        upstream = self.upstreams(block)[block.sweep.outs[edge]]
        return upstream, carry(1.0), carry(upstream)

    def upstreams(self, block: Backward) -> Sequence[float]:
        """Return what each computed node of a pass hands on: nearly always, its final gradient."""
        return self._incomplete(block) if self.world and self.world.hasty else block.grads

    @kept(1)
    def _incomplete(self, block: Backward) -> Sequence[float]:
        sweep, carry = block.sweep, partial(self._edge, block)
        return incomplete(zip(sweep.outs, sweep.receivers, strict=True), sweep.width, carry)

    def _edge(self, block: Backward, edge: int) -> Carry:
        sweep, out = block.sweep, block.sweep.outs[edge]
        forward = block.over[sweep.passes[out]]
        return self._carry(forward, sweep.offsets[out], sweep.slots[edge], block.start)

    def local(self, out: int, slot: int, position: int) -> float:
        """Return ∂out/∂operand with the values of a position at which `out` is made."""
        return self.carry(out, slot, position)(1.0)

    def carry(self, out: int, slot: int, position: int) -> Carry:
        """Return what an operand is handed, as a function of what arrives at `out`."""
        forward = self.forward_of(out)
        return self._carry(forward, out - forward.base, slot, position)

    def _carry(self, forward: Forward, offset: int, slot: int, position: int) -> Carry:
        structure = forward.structure
        op = structure.op(offset)
        constant = op.partials[slot].constant
        if constant is not None and not op.stands_for:  # half of all edges are those of sums
            return partial(mul, constant)
        if op.stored:
            return partial(mul, forward.stored[structure.stored_at[offset] + slot])
        first, out = structure.first_ref[offset], len(op.partials)
        values = [nan] * (out + 1)
        for each in op.reads[slot]:
            made, at = forward.made(structure.refs[first + each] if each < out else offset)
            values[each] = self._value(made, made.base + at, position)
        return partial(op.carry[slot], *values)

    def gradient_writes(
        self, node: int, position: int
    ) -> Iterator[tuple[Write, int] | tuple[Backward, int]]:
        """Yield the blocks that have written a node's gradient by a position, the latest first.

        With each comes how often it has: the writes in a block of writes, the contributions of a
        pass. Those of a pass may be 0: its seed clears a computed node, and is the gradient of a
        leaf that it starts from.
        """
        while found := self._written(node, position):
            block, column, count = found
            if isinstance(block, Write):
                yield block, count
            else:
                yield block, len(block.sweep.incoming[column]) if count == _ALL else count
            position = block.start

    def _written(self, node: int, position: int) -> tuple[Write | Backward, int, int] | None:
        """Return the block that has written a node's gradient last by a position.

        With a backward pass comes the node's entry in its column. How often each has written comes
        last; `_ALL` where a pass has nothing to add. Of one that is over, the edges need not be
        sorted to know.
        """
        written = self.index.gradient_blocks(node, self.forward_of(node).base)
        begun = bisect_right(written, self.index.block_at(position - 1))
        for at in range(begun - 1, -1, -1):
            block = self._blocks[written[at]]
            done = position - block.start
            if isinstance(block, Write):
                if count := bisect_left(block.writes.gradients[node], done):
                    return block, 0, count
            elif isinstance(block, Backward):
                column = block.column(node)
                if column is None or column in block.sweep.unwritten:
                    continue
                if done > block.sweep.edges:
                    return block, column, _ALL
                edges = block.sweep.incoming[column]
                count = bisect_right(edges, done - 2)
                if count == len(edges):
                    return block, column, _ALL
                if count or block.sweep.begins_at(column):
                    return block, column, count
        return None

    def event(self, index: int) -> Event:
        """Return an event, counted from 0."""
        block = self._blocks[self.block_at(index)]
        offset = index - block.start
        match block:
            case Forward():
                return _made(block, offset)
            case Backward():
                return self._propagated(block, offset)
            case Write():
                return self._write(block, offset)
            case Marked():
                return events.Mark(block.kind, block.number)

    def _propagated(self, block: Backward, offset: int) -> Event:
        position = block.start + offset
        sweep = block.sweep
        if isinstance(block, ForeignBackward):
            return derived.received(self, block, offset)
        if offset == 0:
            before = None if sweep.computed else self.grad(block.root, position)
            return events.Seed(block.root, before, (before or 0.0) + 1.0)
        edge = offset - 1
        node, out = block.node(sweep.receivers[edge]), block.node(sweep.outs[edge])
        upstream, local, contribution = self.edge(block, edge)
        before = self.grad(node, position)
        after, slot = added(self.world, before, contribution), sweep.slots[edge]
        return events.Accumulate(node, out, slot, upstream, local, contribution, before, after)

    def _write(self, block: Write, offset: int) -> Event:
        position = block.start + offset
        node, after = block.writes.nodes[offset], block.after[offset]
        rule = block.rule.at(offset) if block.rule else None
        if block.writes.kinds[offset] == "update":
            value = self.value(node, position)
            assert value is not None, "only a node that exists can be written"
            return events.Update(node, value, after, rule)
        before = self.grad(node, position)
        if block.writes.kinds[offset] == "zero":
            return events.ZeroGrad(node, before)
        return events.SetGrad(node, before, after, rule)


def _made(block: Forward, offset: int) -> Event:
    structure = block.structure
    created = structure.created[offset]
    node, value = block.base + created, block.values[created]
    tangent = None if block.tangents is None else block.tangents[created]
    op = block.op(created)
    if not op.partials:
        return events.Leaf(node, value, tangent)
    operands = tuple(block.nodes(structure.operands(created)))
    return events.Op(node, op, operands, value, tangent)
