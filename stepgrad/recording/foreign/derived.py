"""What the edges of a backward pass were that the program ran itself, and what would be right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from stepgrad.engine.graph import Carry
from stepgrad.engine.ops import Op
from stepgrad.recording.events import Accumulate, ByHand, Seed
from stepgrad.recording.foreign.sweep import ForeignBackward


class History(Protocol):
    """What has to be known of a recording: the part of its `history` that is asked."""

    def value(self, node: int, position: int) -> float | None:
        """Return the value of a node."""

    def grad(self, node: int, position: int) -> float | None:
        """Return the gradient of a node."""

    def operation(self, node: int) -> tuple[Op, Sequence[int]]:
        """Return the operation of a node, and its operands."""

    def carry(self, out: int, slot: int, position: int) -> Carry:
        """Return what an operand is handed, as a function of what arrives at `out`."""


def received(history: History, block: ForeignBackward, offset: int) -> Seed | Accumulate:
    """Return an event of such a pass."""
    if offset == 0:
        node, after, place = block.focus(0), block.after[0], block.place(0)
        return Seed(node, history.grad(node, block.start), after, by_hand=True, place=place)
    return _accumulated(history, block, offset, upstream(history, block, offset - 1))


def _accumulated(
    history: History, block: ForeignBackward, write: int, arrived: float
) -> Accumulate:
    node, (out, slot) = block.focus(write), block.edge(write - 1)
    local, contribution = history.carry(out, slot, block.start)(1.0), change(history, block, write)
    right = _expected(history, block, write, arrived)
    return Accumulate(
        node, out, slot, arrived, local, contribution,
        history.grad(node, block.start + write), block.after[write],
        ByHand(right, block.place(write)),
    )  # fmt: skip


def _expected(history: History, block: ForeignBackward, write: int, arrived: float) -> float:
    """Return what is right for an operand, of what its node had received by then.

    At a kink, whatever lies between the derivatives of the two sides is: they are -1, 0 or 1.
    """
    (out, slot), passed = block.edge(write - 1), change(history, block, write)
    op, operands = history.operation(out)
    if op.forward.piecewise and abs(passed) <= abs(arrived):
        inputs = [history.value(operand, block.start) or 0.0 for operand in operands]
        if op.at_kink(inputs):
            return passed
    return history.carry(out, slot, block.start)(arrived)


def upstream(history: History, block: ForeignBackward, edge: int) -> float:
    """Return the gradient that the rule of an edge hands on."""
    sweep, write = block.sweep, block.sweep.upstream[edge]
    if write < 0:
        return _left_over(history, block, sweep.outs[edge])
    if sweep.by_path and write <= sweep.edges:
        return _handed_on(history, block, write)
    return block.after[write]


def _handed_on(history: History, block: ForeignBackward, write: int) -> float:
    """Return what a recursive `backward(upstream)` hands on after a write: what has just arrived.

    It is the change of the gradient, or all of it where the write has replaced what was there. Only
    what is right tells the two apart, and that is known from the root down to this write.
    """
    sweep, way = block.sweep, [write]
    while 0 < way[-1] <= sweep.edges and (above := sweep.upstream[way[-1] - 1]) >= 0:
        if change(history, block, way[-1]) == block.after[way[-1]]:  # nothing was there
            break
        way.append(above)
    arrived = 0.0
    for each in reversed(way):
        changed, after = change(history, block, each), block.after[each]
        if 0 < each <= sweep.edges and changed != after:
            event = _accumulated(history, block, each, arrived)
            arrived = changed if event.total is None else after
        else:
            arrived = changed
    return arrived


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
