"""The edges of a backward pass as places in a row of numbers, the same for all passes of a shape.

The row holds the numbers of the pass's own nodes, and behind them those of the nodes from earlier
blocks that it uses. With places in it, a column of all edges is one loop in C.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any

from stepgrad.recording.recording import Recording
from stepgrad.recording.structure import Structure
from stepgrad.recording.sweep import Sweep


@dataclass(frozen=True, slots=True)
class Edges:
    """Where the numbers of each edge stand in the row.

    Args:
        outer: the nodes from earlier blocks.
        receivers: the node that is given a contribution.
        outs: the node that hands its gradient on.
        ops: the operation of that node.
        locals: its derivative, and what picks the arguments of that out of the row.
        carries: what it hands on, of these arguments and what arrives.
    """

    outer: Sequence[int]
    receivers: array[int]
    outs: array[int]
    ops: Sequence[str]
    locals: Sequence[tuple[Callable[..., float], Callable[[Sequence[Any]], Sequence[Any]]]]
    carries: Sequence[Callable[..., float]]


@lru_cache(maxsize=16)
def edges_of(recording: Recording, structure: Structure, sweep: Sweep) -> Edges:
    """Describe the edges of the passes that sweep over a structure."""
    outer: dict[int, int] = {}

    def place(ref: int) -> int:
        return ref if ref >= 0 else outer.setdefault(~ref, len(structure) + len(outer))

    places = [place(ref) for ref in sweep.refs]
    ops = []
    locals_ = []
    carries = []
    at = -1
    for out, slot in zip(sweep.outs, sweep.slots, strict=True):
        if out != at:
            at, ref = out, sweep.refs[out]
            if ref >= 0:
                op, operands = structure.op(ref), structure.operands(ref)
            else:
                node = recording.node(~ref)
                op, operands = node.op, [~operand for operand in node.operands]
            pick = itemgetter(*map(place, operands), places[out])
        ops.append(op.name)
        locals_.append((op.local[slot], pick))
        carries.append(op.carry[slot])
    return Edges(
        tuple(outer),
        array("q", (places[receiver] for receiver in sweep.receivers)),
        array("q", (places[out] for out in sweep.outs)),
        ops,
        locals_,
        carries,
    )
