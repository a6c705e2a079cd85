"""Why a gradient is exactly 0: the edges that shut every path from a node to the output.

An edge whose local derivative is exactly 0 is shut: a gate, a saturated function, or a product with
a factor of 0. Where every path has such an edge, those nearest to the output are the *cut set*.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from stepgrad.recording.blocks import Backward
from stepgrad.recording.recording import Recording
from stepgrad.replay.gradients.between import Edge, between

Counts = Callable[[Edge], bool]
"""Whether an edge with a local derivative of 0 counts as shut."""


def cut_set(
    recording: Recording,
    root: int,
    node: int,
    position: int,
    counts: Counts = lambda _: True,
) -> Sequence[Edge]:
    """Return the shut edges that separate a node from a root: the nearest to the root.

    The values are those of a position at which the root is computed; no backward pass is needed.
    Empty where a path is open, and where none leads from the node to the root.
    """
    found: list[Edge] = []
    reached = {root}
    for edge in between(recording, root, node):
        if edge.out not in reached:
            continue
        if not recording.history.local(edge.out, edge.slot, position) and counts(edge):
            found.append(edge)
        else:
            reached.add(edge.operand)
    return () if node in reached else found


@dataclass(frozen=True, slots=True)
class Cut:
    """What the shut edges of a backward pass separate from its root.

    Args:
        open: the places in the column that an open path leads to.
        edges: the shut edges that lead away from those, by number.
    """

    open: Collection[int]
    edges: Sequence[int]


def cut_of(recording: Recording, block: Backward, counts: Counts = lambda _: True) -> Cut:
    """Return what the shut edges of a backward pass separate from its root."""
    sweep, history = block.sweep, recording.history
    reached, found = {sweep.start}, []
    for number, (out, receiver) in enumerate(zip(sweep.outs, sweep.receivers, strict=True)):
        if out not in reached or receiver in reached:
            continue
        shut = not history.edge(block, number)[1]
        if shut and counts(Edge(*block.edge(number), block.node(receiver))):
            found.append(number)
        else:
            reached.add(receiver)
    return Cut(reached, [each for each in found if sweep.receivers[each] not in reached])
