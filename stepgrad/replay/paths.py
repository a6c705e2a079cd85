"""The paths from a node to the output: how many, and what each brings.

A gradient is the sum over all paths of the product of local derivatives along each. There may be
more paths than atoms, so they are counted and summed backwards from the output, node by node; of
the paths themselves only those that matter most are kept.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from heapq import nlargest

from stepgrad.recording.blocks import Backward
from stepgrad.recording.recording import Recording
from stepgrad.recording.structure import index_to_ref, ref_to_index


@dataclass(frozen=True, slots=True)
class Path:
    """A way from a node to the output: the nodes on it, and the local derivatives between them."""

    nodes: tuple[int, ...]
    locals: tuple[float, ...]
    product: float


@dataclass(frozen=True, slots=True)
class Paths:
    """All ways from a node to the output: their number, their sum, and the weightiest of them."""

    count: int
    total: float
    weightiest: tuple[Path, ...]


def paths(recording: Recording, block: Backward, node: int, most: int = 8) -> Paths:
    """Follow the edges of a backward pass from its root to a node.

    Returns at most `most` paths, the largest products first; none where the node is not reached.
    """
    sweep = block.sweep
    goal = sweep.column.get(index_to_ref(node, block.base))
    count: dict[int, int] = defaultdict(int)
    total: dict[int, float] = defaultdict(float)
    best: dict[int, list[Path]] = defaultdict(list)
    root = sweep.column[index_to_ref(block.root, block.base)]
    count[root], total[root] = 1, 1.0
    best[root] = [Path((block.root,), (), 1.0)]
    for edge, (out, receiver) in enumerate(zip(sweep.outs, sweep.receivers, strict=True)):
        _, local = recording.history.edge(block, edge)
        index = ref_to_index(sweep.refs[receiver], block.base)
        count[receiver] += count[out]
        total[receiver] += total[out] * local
        longer = [
            Path((index, *path.nodes), (local, *path.locals), path.product * local)
            for path in best[out]
        ]
        best[receiver] = nlargest(most, [*best[receiver], *longer], key=_weight)
    if goal is None:
        return Paths(0, 0.0, ())
    return Paths(count[goal], total[goal], tuple(best[goal]))


def _weight(path: Path) -> float:
    size = abs(path.product)
    return size if size == size else float("inf")  # a path that is nan is the one to see
