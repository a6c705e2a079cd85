"""Forward mode: dual numbers.

Each node carries its value (the primal) and its derivative with respect to one input (the tangent).
A tangent follows from those of the operands: ȯut = Σ ∂out/∂operand · ȯperand, where a shut gate
adds 0, whatever its operand's tangent is. One forward pass gives the derivative of every node with
respect to that input; n inputs need n passes, where the backward pass needs one.
(Wengert, "A simple automatic derivative evaluation program", 1964.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite

from stepgrad.engine.graph import Edges, Graph
from stepgrad.engine.node import Node


def tangents(
    graph: Graph, seeds: Mapping[int, float], edges: Edges | None = None
) -> Sequence[float]:
    """Return the tangent of every node, given those of some leaves; other leaves have 0.

    A node that no seed reaches has the tangent 0, even where its local derivative is infinite.
    Edges carry what the op table says, unless `edges` are given.
    """
    edges, found = edges or graph.edge, dict(seeds)
    for place, operands in enumerate(graph.operands):
        if any(operand in found for operand in operands):
            total = 0.0
            for slot, operand in enumerate(operands):
                if operand in found:
                    total += edges(place, slot)(found[operand])
            found[place] = total
    return [found.get(place, 0.0) for place in range(len(graph))]


def tangents_among(nodes: Sequence[Node], seeds: Mapping[int, float]) -> Sequence[float]:
    """Return the tangents of consecutive Values; operands from before them are constants.

    `seeds` maps the stamps of Values to their tangents.
    """
    graph = Graph.among(nodes)
    first = len(graph) - len(nodes)
    stamps = enumerate((node._stamp for node in nodes), first)
    places = {place: seeds[stamp] for place, stamp in stamps if stamp in seeds}
    return tangents(graph, places)[first:]


def gradients(graph: Graph, edges: Edges | None = None) -> Sequence[float]:
    """Return the derivative of the root with respect to every node: one pass of reverse mode.

    That of a constant is 0. Edges carry what the op table says, unless `edges` are given.
    """
    edges, found = edges or graph.edge, [0.0] * len(graph)
    found[-1] = 1.0
    for place in range(len(graph) - 1, -1, -1):
        for slot, operand in graph.variable(place):
            found[operand] += edges(place, slot)(found[place])
    return found


def magnitudes(graph: Graph) -> Sequence[float]:
    """Return the scale of the rounding error of every gradient.

    That is the sum, over all paths to the root, of the absolute product of local derivatives: terms
    that cancel in a gradient still leave their rounding errors. Where the terms of a local
    derivative cancel (1 − out² of a saturated tanh), their sizes count as well.
    """
    sizes, lost = [0.0] * len(graph), [0.0] * len(graph)
    sizes[-1] = 1.0
    for place in range(len(graph) - 1, -1, -1):
        for slot, operand in graph.variable(place):
            size, more = _sizes(graph, place, slot, sizes[place], lost[place])
            sizes[operand] += size
            lost[operand] += more
    return [size + more for size, more in zip(sizes, lost, strict=True)]


def tangent_magnitudes(graph: Graph, seeds: Mapping[int, float]) -> Sequence[float]:
    """Return the scale of the rounding error of every tangent, like `magnitudes`."""
    sizes = [abs(seeds.get(place, 0.0)) for place in range(len(graph))]
    lost = [0.0] * len(graph)
    for place, operands in enumerate(graph.operands):
        for slot, operand in enumerate(operands):
            if sizes[operand]:
                size, more = _sizes(graph, place, slot, sizes[operand], lost[operand])
                sizes[place] += size
                lost[place] += more
    return [size + more for size, more in zip(sizes, lost, strict=True)]


def _sizes(graph: Graph, place: int, slot: int, size: float, lost: float) -> tuple[float, float]:
    """Carry two scales across an edge: of the terms, and of the digits that cancelling lost.

    Where the terms of the edge's own local derivative cancel, more is lost.
    """
    edge = graph.edge(place, slot)
    local = abs(edge(1.0))
    cancelled = graph.magnitude(place, slot) - local if isfinite(local) else 0.0
    return abs(edge(size)), abs(edge(lost)) + (cancelled and size * cancelled)
