"""Which nodes to draw when the graph is too large to be drawn whole."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence


def neighbourhood(
    operands_of: Callable[[int], Sequence[int]],
    consumers_of: Callable[[int], Sequence[int]],
    centre: int,
    hops: int,
    limit: int,
) -> list[int]:
    """The keys of the nodes that are at most `hops` edges from the centre, at most `limit` of them.

    Edges count in both directions, so that the other operands of a consumer are in view. The
    nearest come first, and of those at the same distance the ones made next to the centre: of all
    uses of a weight, those that it has there. The result is the same for the same graph, and a
    smaller limit only cuts its end. Layouts want `sorted` keys.

    Both functions return keys in ascending order. A weight may have a hundred thousand consumers,
    so only those that can be among the result are looked at.
    """
    found = [centre]
    seen = {centre}
    ring = [centre]
    for _ in range(hops):
        if len(found) >= limit:
            break
        reached = {
            key
            for near in ring
            for keys in (operands_of(near), consumers_of(near))
            for key in _around(keys, centre, limit)
        }
        ring = sorted(reached - seen, key=lambda key: (abs(key - centre), key))
        seen.update(ring)
        found += ring
    return found[:limit]


def _around(keys: Sequence[int], centre: int, most: int) -> Sequence[int]:
    """Return the nearest keys on either side of the centre, at most this many on each."""
    at = bisect_left(keys, centre)
    return keys[max(at - most, 0) : at + most]
