"""What the edges of a backward pass were that the program ran itself, and what would be right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stepgrad.recording.events import Accumulate, ByHand, Seed
from stepgrad.recording.foreign import ForeignBackward

if TYPE_CHECKING:
    from stepgrad.recording.history import History


def received(history: History, block: ForeignBackward, offset: int) -> Seed | Accumulate:
    """Return an event of such a pass."""
    node, after, place = block.focus(offset), block.after[offset], block.place(offset)
    before = history.grad(node, block.start + offset)
    if offset == 0:
        return Seed(node, before, after, by_hand=True, place=place)
    out, slot = block.edge(offset - 1)
    upstream, local, contribution = history.edge(block, offset - 1)
    right = expected(history, block, offset - 1)
    by_hand = ByHand(right, place)
    return Accumulate(node, out, slot, upstream, local, contribution, before, after, by_hand)


def expected(history: History, block: ForeignBackward, edge: int) -> float:
    """Return what is right for an operand, of what its node had received by then.

    At a kink, whatever lies between the derivatives of the two sides is: they are -1, 0 or 1.
    """
    (out, slot), upstream, passed = block.edge(edge), *_passed(history, block, edge)
    op, operands = history.operation(out)
    if op.forward.piecewise and abs(passed) <= abs(upstream):
        inputs = [history.value(operand, block.start) or 0.0 for operand in operands]
        if op.at_kink(inputs):
            return passed
    return history.carry(out, slot, block.start)(upstream)


def _passed(history: History, block: ForeignBackward, edge: int) -> tuple[float, float]:
    return upstream(history, block, edge), change(history, block, edge + 1)


def upstream(history: History, block: ForeignBackward, edge: int) -> float:
    """Return the gradient that the rule of an edge found in its node."""
    sweep, write = block.sweep, block.sweep.upstream[edge]
    if write < 0:
        return _left_over(history, block, sweep.outs[edge])
    if sweep.by_path and write <= sweep.edges:
        return change(history, block, write)
    return block.after[write]


def change(history: History, block: ForeignBackward, write: int) -> float:
    """Return by how much a write of a pass has changed a gradient; write 0 is the seed."""
    sweep = block.sweep
    entry = sweep.receivers[write - 1] if write else sweep.start
    before = sweep.before[write - 1] if write else -1
    return block.after[write] - (
        block.after[before] if before >= 0 else _left_over(history, block, entry)
    )


def _left_over(history: History, block: ForeignBackward, entry: int) -> float:
    """Return the gradient that earlier passes have left."""
    return history.grad(block.node(entry), block.start) or 0.0
