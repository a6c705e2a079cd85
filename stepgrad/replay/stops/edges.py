"""The edges of a backward pass as places in a row of numbers, the same for all passes of a shape.

The row holds the numbers of all nodes of the forward passes that it sweeps over, behind them the
local derivatives that these store, and then the numbers of the other nodes that it uses. With
places in it, a column of all edges is one loop in C.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from stepgrad.recording.kept import kept
from stepgrad.recording.sweep import Sweep


class Edges(NamedTuple):
    """Where the numbers of each edge stand in the row.

    Args:
        outer: the other nodes: each as the number of its forward pass, and the offset there.
        receivers: the node that is given a contribution.
        outs: the node that hands its gradient on.
        ops: the operation of that node.
        locals: its derivative, and what picks the arguments of that out of the row.
        carries: what it hands on, of these arguments and what arrives.
    """

    outer: Sequence[tuple[int, int]]
    receivers: array[int]
    outs: array[int]
    ops: Sequence[str]
    locals: Sequence[tuple[Callable[..., float], Callable[[Sequence[Any]], Sequence[Any]]]]
    carries: Sequence[Callable[..., float]]


@kept(1)
def edges_of(sweep: Sweep) -> Edges:
    """Describe the edges of a sweep."""
    starts: dict[int, int] = {}
    length = 0
    for number in sweep.swept:
        starts[number] = length
        length += len(sweep.structures[number])
    stored: dict[int, int] = {}
    for number in sweep.swept:
        stored[number] = length
        length += sweep.structures[number].stored
    outer: dict[tuple[int, int], int] = {}

    def place(number: int, offset: int) -> int:
        if number in starts:
            return starts[number] + offset
        return outer.setdefault((number, offset), length + len(outer))

    places = list(map(place, sweep.passes, sweep.offsets))
    ops = []
    locals_ = []
    carries = []
    at = -1
    pick: Callable[[Sequence[Any]], Sequence[Any]]
    for out, slot in zip(sweep.outs, sweep.slots, strict=True):
        if out != at:
            at = out
            number, offset = sweep.passes[out], sweep.offsets[out]
            structure = sweep.structures[number]
            op = structure.op(offset)
            if not op.stored:
                operands = (place(*operand) for operand in sweep.operands(out))
                pick = itemgetter(*operands, places[out])
        if op.stored:
            pick = itemgetter(stored[number] + structure.stored_at[offset] + slot, places[out])
        ops.append(op.name)
        locals_.append((_stored if op.stored else op.local[slot], pick))
        carries.append(_times if op.stored else op.carry[slot])
    return Edges(
        tuple(outer),
        array("q", (places[receiver] for receiver in sweep.receivers)),
        array("q", (places[out] for out in sweep.outs)),
        ops,
        locals_,
        carries,
    )


def _stored(local: float, _: float) -> float:
    return local


def _times(local: float, _: float, upstream: float) -> float:
    return upstream * local
