"""Forward mode: dual numbers.

Each node carries its value (the primal) and its derivative by one input (the tangent). A tangent
follows from those of the operands: ȯut = Σ ∂out/∂operand · ȯperand, without those behind a gate
that is shut. One pass forward gives the
derivative of every node by that input; n inputs need n passes, where the backward pass needs one.
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
    """Return the tangent of every node, where those of some leaves are given (the rest are 0).

    A node that no seed reaches has the tangent 0, also where its local derivative is infinite.
    Edges carry what the op table says, unless others are given.
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

    `seeds` are tangents by the stamp of a Value.
    """
    graph = Graph.among(nodes)
    first = len(graph) - len(nodes)
    stamps = enumerate((node._stamp for node in nodes), first)
    places = {place: seeds[stamp] for place, stamp in stamps if stamp in seeds}
    return tangents(graph, places)[first:]


def gradients(graph: Graph, edges: Edges | None = None) -> Sequence[float]:
    """Return the derivative of the root by every node, by reverse mode: one pass back.

    That of a constant is 0. Edges carry what the op table says, unless others are given.
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
    that cancel in a gradient still leave their rounding errors. A local derivative whose own terms
    cancel (1 − out² of a saturated tanh) adds those of its terms.
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
    """Return what an edge makes of a size, and of what was lost; its own terms lose more."""
    edge = graph.edge(place, slot)
    rate = abs(edge(1.0))
    cancelled = graph.magnitude(place, slot) - rate if isfinite(rate) else 0.0
    return abs(edge(size)), abs(edge(lost)) + (cancelled and size * cancelled)
