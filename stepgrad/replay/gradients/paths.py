"""The paths from a node to the output: how many there are, and what each contributes.

A gradient is the sum over all paths of the product of local derivatives along each. There may be
more paths than atoms, so they are counted and summed backwards from the output, node by node. The
largest are found by a best-first search: for each node, the size of the largest product between
the starting node and it is worked out first, so that the search never takes a wrong turn.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from math import inf, isfinite, isinf, log2
from typing import NamedTuple

from stepgrad.recording.recording import Recording
from stepgrad.replay.gradients.between import between


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
    """All paths from a node to the output: their number, their sum, and the largest of them.

    `rest` is the sum of all others. It is None where it cannot be told: products among the largest
    are not finite, and there are too many others to add up.
    """

    count: int
    total: float
    weightiest: tuple[Path, ...]
    rest: float | None


def paths(recording: Recording, root: int, node: int, position: int, most: int = 8) -> Paths:
    """Follow the edges from a root back to a node, with the values of a position.

    The root is computed by then; no backward pass is needed. Returns at most `most` paths, the
    largest products first; none if no path leads from the node to the root.
    """
    number: dict[int, int] = defaultdict(int, {root: 1})
    total: dict[int, float] = defaultdict(float, {root: 1.0})
    ways: dict[int, list[_Way]] = defaultdict(list)
    for edge in between(recording, root, node):
        carry = recording.history.carry(edge.out, edge.slot, position)
        number[edge.operand] += number[edge.out]
        total[edge.operand] += carry(total[edge.out])
        ways[edge.out].append(_Way(edge.operand, carry, carry(1.0)))
    many = number[node]
    found = _weightiest(ways, root, node, most) if many and most else ()
    listed: float = sum(path.product for path in found)
    rest = total[node] - listed
    if not isfinite(rest) and 0 < many <= _ADDED_UP:
        rest = sum(path.product for path in _weightiest(ways, root, node, many)[most:])
    elif not isfinite(listed):
        return Paths(many, total[node], found, None)
    return Paths(many, total[node], found, rest)


class _Way(NamedTuple):
    """An edge, from the output on: the operand, what it is handed, and the local derivative."""

    operand: int
    carry: Callable[[float], float]
    local: float

    def bound(self, beyond: _Bound) -> _Bound:
        """The bound of this edge and what follows it, of that for what follows."""
        zero, finite, broken = beyond
        if not isfinite(self.local):
            return broken, broken, broken
        if self.local:
            return zero, log2(abs(self.local)) + finite, broken
        return zero, zero, zero if self.carry(inf) == 0 else broken

    def after(self, arrives: int) -> int:
        """Which kind of number goes on, of the kind that arrives."""
        if not isfinite(self.local):
            return _BROKEN
        if self.local or arrives == _ZERO:
            return arrives
        return _ZERO if arrives == _FINITE or self.carry(inf) == 0 else _BROKEN


_ADDED_UP = 256
"""The most paths that are added up one by one."""

_Bound = tuple[float, float, float]
"""The size of the largest product from here to the end, as log₂, by the kind of what arrives.

A product that is not finite is the largest: that path is the one to look at.
"""

_ZERO, _FINITE, _BROKEN = 0, 1, 2
"""The kinds of numbers that arrive: a shut gate makes a 0 of a nan, a later ∞ a nan of a 0."""

_END: _Bound = (-inf, 0.0, inf)


@dataclass(frozen=True, slots=True)
class _Begun:
    """The beginning of a path, from the output on: its last node, and what led there.

    `bound` is the size of the largest product of a path that begins like this, as log₂.
    """

    node: int
    bound: float
    size: float = 0.0
    arrives: int = _FINITE
    product: float = 1.0
    local: float = 1.0
    before: _Begun | None = None


def _weightiest(ways: dict[int, list[_Way]], root: int, node: int, most: int) -> tuple[Path, ...]:
    """Return the paths with the largest products, the largest first."""
    bounds = {node: _END}
    for out in reversed(ways):  # the oldest first, after what it is computed from
        each = [way.bound(bounds[way.operand]) for way in ways[out]]
        bounds[out] = max(b[0] for b in each), max(b[1] for b in each), max(b[2] for b in each)
    found: list[Path] = []
    order = count(0, -1)
    begun = _Begun(root, bounds[root][_FINITE])
    # Of equals, that which was begun last is followed to its end: there may be millions.
    waiting = [(-begun.bound, next(order), begun)]
    while waiting and len(found) < most:
        *_, begun = heappop(waiting)
        if begun.node == node:
            found.append(_path(begun))
            continue
        for way in ways[begun.node]:
            longer = _longer(begun, way, bounds)
            heappush(waiting, (-longer.bound, next(order), longer))
    return tuple(sorted(found, key=_weight, reverse=True))


def _longer(begun: _Begun, way: _Way, bounds: Mapping[int, _Bound]) -> _Begun:
    """Return the beginning of a path, longer by an edge."""
    best = bounds[begun.node][begun.arrives]
    here = way.bound(bounds[way.operand])[begun.arrives]
    arrives = way.after(begun.arrives)
    size = begun.size
    if begun.arrives == arrives == _FINITE:
        size += log2(abs(way.local))
    if here == best:  # not added up again: rounding would rank equal paths
        bound = begun.bound
    elif isinf(best) or isinf(here):
        bound = size + here if arrives == _FINITE and isfinite(here) else here
    else:
        bound = begun.bound - (best - here)
    product = way.carry(begun.product)
    return _Begun(way.operand, bound, size, arrives, product, way.local, begun)


def _path(begun: _Begun) -> Path:
    nodes, locals_ = [begun.node], []
    each = begun
    while each.before is not None:
        locals_.append(each.local)
        each = each.before
        nodes.append(each.node)
    return Path(tuple(nodes), tuple(locals_), begun.product)


def _weight(path: Path) -> float:
    size = abs(path.product)
    return size if size == size else inf  # a nan is the path to look at
