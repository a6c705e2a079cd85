"""The paths from a node to the output: how many there are, and what each contributes.

A gradient is the sum over all paths of the product of local derivatives along each. There may be
more paths than atoms, so they are counted and summed backwards from the output, node by node, and
only the paths with the largest products are kept.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from heapq import nlargest

from stepgrad.recording.recording import Recording


@dataclass(frozen=True, slots=True)
class Path:
    """A path from a node to the output: its nodes, and the local derivatives between them.

    `product` is theirs, from the output on; 0 where a gate on the path is shut.
    """

    nodes: tuple[int, ...]
    locals: tuple[float, ...]
    product: float


@dataclass(frozen=True, slots=True)
class Paths:
    """All paths from a node to the output: their number, their sum, and the largest of them."""

    count: int
    total: float
    weightiest: tuple[Path, ...]


def paths(recording: Recording, root: int, node: int, position: int, most: int = 8) -> Paths:
    """Follow the edges from a root back to a node, with the values of a position.

    The root is computed by then; no backward pass is needed. Returns at most `most` paths, the
    largest products first; none if no path leads from the node to the root.
    """
    count: dict[int, int] = defaultdict(int)
    total: dict[int, float] = defaultdict(float)
    best: dict[int, list[Path]] = defaultdict(list)
    count[root], total[root] = 1, 1.0
    best[root] = [Path((root,), (), 1.0)]
    for out in _between(recording, root, node):
        for slot, operand in enumerate(recording.node(out).operands):
            if operand < node or recording.is_constant(operand):
                continue
            carry = recording.history.carry(out, slot, position)
            local = carry(1.0)
            count[operand] += count[out]
            total[operand] += carry(total[out])
            longer = [
                Path((operand, *path.nodes), (local, *path.locals), carry(path.product))
                for path in best[out]
            ]
            best[operand] = nlargest(most, [*best[operand], *longer], key=_weight)
    return Paths(count[node], total[node], tuple(best[node]))


def _between(recording: Recording, root: int, node: int) -> list[int]:
    """Return the nodes made after a node that a root depends on, the newest first."""
    seen, stack = {root}, [root]
    while stack:
        operands = (each for each in recording.node(stack.pop()).operands if each > node)
        new = {operand for operand in operands if operand not in seen}
        seen |= new
        stack += new
    return sorted((each for each in seen if each > node), reverse=True)


def _weight(path: Path) -> float:
    size = abs(path.product)
    return size if size == size else float("inf")  # a nan is the path to look at
