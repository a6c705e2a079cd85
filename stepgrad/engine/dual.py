"""Forward mode: dual numbers.

Each node carries its value (the primal) and its derivative by one input (the tangent). A tangent
follows from those of the operands: ȯut = Σ ∂out/∂operand · ȯperand. One pass forward gives the
derivative of every node by that input; n inputs need n passes, where the backward pass needs one.
(Wengert, "A simple automatic derivative evaluation program", 1964.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from stepgrad.engine.graph import Graph
from stepgrad.engine.value import Value


def tangents(graph: Graph, seeds: Mapping[int, float]) -> Sequence[float]:
    """Return the tangent of every node, where those of some leaves are given (the rest are 0).

    A node that no seed reaches has the tangent 0, also where its local derivative is infinite.
    """
    return _ahead(graph, seeds, graph.local)


def tangent_magnitudes(graph: Graph, seeds: Mapping[int, float]) -> Sequence[float]:
    """Return, for each node, the sum of the absolute products over all paths to it.

    That is for a tangent what `magnitudes` is for a gradient.
    """
    sizes = {place: abs(seed) for place, seed in seeds.items()}
    return _ahead(graph, sizes, lambda place, slot: abs(graph.local(place, slot)))


def tangents_among(nodes: Sequence[Value], seeds: Mapping[Value, float]) -> Sequence[float]:
    """Return the tangents of Values made one after the other; what was before them is constant."""
    graph = Graph.among(nodes)
    first = len(graph) - len(nodes)
    places = {place: seeds[node] for place, node in enumerate(nodes, first) if node in seeds}
    return tangents(graph, places)[first:]


def gradients(graph: Graph) -> Sequence[float]:
    """Return the derivative of the root by every node, by reverse mode: one pass back."""
    return _back(graph, graph.local)


def magnitudes(graph: Graph) -> Sequence[float]:
    """Return the sum of the absolute products of local derivatives over all paths to the root.

    That is what the rounding error of a gradient is to be measured by: terms that cancel each
    other in it have errors of their own size.
    """
    return _back(graph, lambda place, slot: abs(graph.local(place, slot)))


def _ahead(
    graph: Graph, seeds: Mapping[int, float], local: Callable[[int, int], float]
) -> Sequence[float]:
    found = dict(seeds)
    for place, operands in enumerate(graph.operands):
        if any(operand in found for operand in operands):
            total = 0.0
            for slot, operand in enumerate(operands):
                if operand in found:
                    total += local(place, slot) * found[operand]
            found[place] = total
    return [found.get(place, 0.0) for place in range(len(graph))]


def _back(graph: Graph, local: Callable[[int, int], float]) -> Sequence[float]:
    found = [0.0] * len(graph)
    found[-1] = 1.0
    for place in range(len(graph) - 1, -1, -1):
        for slot, operand in enumerate(graph.operands[place]):
            found[operand] += found[place] * local(place, slot)
    return found
