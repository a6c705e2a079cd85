"""What is read off a run: local derivatives over a whole statement, gates, and its last pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from stepgrad.engine.ops import GATES
from stepgrad.recording.events import Accumulate
from stepgrad.recording.recording import Recording
from stepgrad.replay.gradients.ledger import latest_pass

_GATES = {name for _, name in GATES}


class Edge(NamedTuple):
    """An edge of a backward pass: `node` receives from `out`, times a local derivative."""

    out: int
    slot: int
    node: int
    local: float


def last_pass(recording: Recording) -> tuple[int, Sequence[Edge]]:
    """Return the root and the edges, in order, of the last backward pass.

    Raises:
        LookupError: there is none.
    """
    block = latest_pass(recording, recording.length)
    if block is None:
        raise LookupError("there is no backward pass")
    events = (recording.events[at] for at in range(block.start, block.start + block.length))
    edges = [
        Edge(each.out, each.slot, each.node, each.local)
        for each in events
        if isinstance(each, Accumulate)
    ]
    return block.root, edges


def end_of_pass(recording: Recording) -> int:
    """Return the position just after the last backward pass; without one, the end."""
    block = latest_pass(recording, recording.length)
    return recording.length if block is None else block.start + block.length


def statement_derivative(recording: Recording, out: int, operand: int) -> float:
    """Return the derivative of a node with respect to one that its statement uses.

    A statement such as `z = w*x + b` makes nodes without a name on the way; they are part of it.

    Raises:
        LookupError: the statement does not use it.
    """
    found, total = False, 0.0
    for slot, each in enumerate(recording.node(out).operands):
        if each != operand and (recording.node(each).name or not recording.node(each).operands):
            continue
        try:
            inner = 1.0 if each == operand else statement_derivative(recording, each, operand)
        except LookupError:
            continue
        found = True
        total += recording.history.local(out, slot, recording.length) * inner
    if not found:
        raise LookupError(out, operand)
    return total


def is_open(recording: Recording, node: int) -> bool:
    """Whether a gate lets a gradient through unchanged.

    Raises:
        LookupError: the node is not a gate with one operand.
    """
    made = recording.node(node)
    if made.op.usual.name not in _GATES or len(made.operands) != 1:
        raise LookupError(node)
    return (recording.history.value(made.operands[0], recording.length) or 0.0) > 0
