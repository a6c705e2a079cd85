"""Which nodes to draw when the graph is too large to be drawn whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable


def neighbourhood(
    operands_of: Callable[[int], Iterable[int]],
    consumers_of: Callable[[int], Iterable[int]],
    centre: int,
    hops: int = 2,
    limit: int = 120,
) -> list[int]:
    """The keys of the nodes that are at most `hops` edges from the centre, at most `limit` of them.

    Edges count in both directions, so that the other operands of a consumer are in view. The
    nearest come first, and of those at the same distance the ones made next to the centre: of all
    uses of a weight, those that it has there. The result is the same for the same graph, and a
    smaller limit only cuts its end. Layouts want `sorted` keys.
    """
    found = [centre]
    seen = {centre}
    ring = [centre]
    for _ in range(hops):
        if len(found) >= limit:
            break
        reached = (key for near in ring for key in (*operands_of(near), *consumers_of(near)))
        ring = sorted(set(reached) - seen, key=lambda key: (abs(key - centre), key))
        seen.update(ring)
        found += ring
    return found[:limit]
