"""Step 2: the order of the vertices within each layer, so that few wires cross.

Barycentre sweeps: a vertex moves to the mean position of its neighbours, in alternate directions,
and the best order seen is kept. The order is deterministic: ties keep the order they had.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence

from stepgrad.drawing.layered.vertices import Vertex

PATIENCE = 4
"""Sweeps without a better order before the search ends."""

Layers = list[list[Vertex]]


def arrange(layers: Layers) -> None:
    """Sort each layer in place, and set `index` of every vertex to its place in the layer."""
    _number(layers)
    best, fewest = [list(layer) for layer in layers], crossings(layers)
    patience = PATIENCE
    backward = True
    while fewest and patience:
        _sweep(layers, backward)
        backward = not backward
        patience -= 1
        if (count := crossings(layers)) < fewest:
            best, fewest = [list(layer) for layer in layers], count
            patience = PATIENCE
    layers[:] = best
    _number(layers)


def crossings(layers: Sequence[Sequence[Vertex]]) -> int:
    """How many pairs of links cross in the current order."""
    return sum(_inversions(layer) for layer in layers)


def _inversions(layer: Sequence[Vertex]) -> int:
    """Crossings in the gap to the right of a layer: pairs whose ends are in the opposite order."""
    seen: list[tuple[int, int]] = []
    count = 0
    for tail in layer:
        ends = [(link.head.index, link.slot) for link in tail.feeds]
        count += sum(len(seen) - bisect_right(seen, end) for end in ends)
        for end in ends:
            insort(seen, end)
    return count


def _number(layers: Layers) -> None:
    for layer in layers:
        for index, vertex in enumerate(layer):
            vertex.index = index


def _sweep(layers: Layers, backward: bool) -> None:
    """Sort each layer by its neighbours on one side; a vertex without any keeps its place."""
    for layer in reversed(layers) if backward else layers:
        means = [(_mean_head if backward else _mean_tail)(vertex) for vertex in layer]
        moving = [
            (mean, index, vertex)
            for index, (mean, vertex) in enumerate(zip(means, layer, strict=True))
            if mean is not None
        ]
        order = iter(sorted(moving, key=lambda entry: entry[:2]))
        layer[:] = [
            vertex if mean is None else next(order)[2]
            for mean, vertex in zip(means, layer, strict=True)
        ]
        for index, vertex in enumerate(layer):
            vertex.index = index


def _mean_tail(vertex: Vertex) -> float | None:
    links = vertex.fed
    return sum(link.tail.index for link in links) / len(links) if links else None


def _mean_head(vertex: Vertex) -> float | None:
    links = vertex.feeds
    places = (link.head.index + link.slot / len(link.head.entries) for link in links)
    return sum(places) / len(links) if links else None
