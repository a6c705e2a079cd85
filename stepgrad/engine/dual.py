"""Forward mode: dual numbers.

Each node carries its value (the primal) and its derivative with respect to one input (the
tangent). A tangent follows from those of the operands: ȯut = Σ ∂out/∂operand · ȯperand. One pass
forward gives the derivative of every node with respect to that input; n inputs need n passes, where
the backward pass needs one.
(Wengert, "A simple automatic derivative evaluation program", 1964.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite

from stepgrad.engine.graph import Graph, Local
from stepgrad.engine.value import Value


def tangents(
    graph: Graph, seeds: Mapping[int, float], local: Local | None = None
) -> Sequence[float]:
    """Return the tangent of every node, where those of some leaves are given (the rest are 0).

    A node that no seed reaches has the tangent 0, also where its local derivative is infinite.
    Local derivatives are those of the op table, unless others are given.
    """
    local, found = local or graph.local, dict(seeds)
    for place, operands in enumerate(graph.operands):
        if any(operand in found for operand in operands):
            total = 0.0
            for slot, operand in enumerate(operands):
                if operand in found:
                    total += local(place, slot) * found[operand]
            found[place] = total
    return [found.get(place, 0.0) for place in range(len(graph))]


def tangents_among(nodes: Sequence[Value], seeds: Mapping[int, float]) -> Sequence[float]:
    """Return the tangents of Values made one after the other; earlier Values are constants.

    `seeds` are tangents by the stamp of a Value.
    """
    graph = Graph.among(nodes)
    first = len(graph) - len(nodes)
    stamps = enumerate((node._stamp for node in nodes), first)
    places = {place: seeds[stamp] for place, stamp in stamps if stamp in seeds}
    return tangents(graph, places)[first:]


def gradients(graph: Graph, local: Local | None = None) -> Sequence[float]:
    """Return the derivative of the root with respect to every node: one pass in reverse mode.

    Local derivatives are those of the op table, unless others are given.
    """
    local, found = local or graph.local, [0.0] * len(graph)
    found[-1] = 1.0
    for place in range(len(graph) - 1, -1, -1):
        for slot, operand in enumerate(graph.operands[place]):
            found[operand] += found[place] * local(place, slot)
    return found


def magnitudes(graph: Graph) -> Sequence[float]:
    """Return the scale of the rounding error of every gradient.

    It is the sum of the absolute products of local derivatives over all paths to the root: terms
    that cancel each other in a gradient leave errors of their own size. A local derivative whose
    own terms cancel (1 − out² of a saturated tanh) adds those of its terms.
    """
    sizes, lost = [0.0] * len(graph), [0.0] * len(graph)
    sizes[-1] = 1.0
    for place in range(len(graph) - 1, -1, -1):
        for slot, operand in enumerate(graph.operands[place]):
            local, cancelled = _size(graph, place, slot)
            sizes[operand] += sizes[place] * local
            lost[operand] += lost[place] * local + sizes[place] * cancelled
    return [size + more for size, more in zip(sizes, lost, strict=True)]


def tangent_magnitudes(graph: Graph, seeds: Mapping[int, float]) -> Sequence[float]:
    """Return the scale of the rounding error of every tangent, as `magnitudes` does."""
    sizes = [abs(seeds.get(place, 0.0)) for place in range(len(graph))]
    lost = [0.0] * len(graph)
    for place, operands in enumerate(graph.operands):
        for slot, operand in enumerate(operands):
            if sizes[operand]:
                local, cancelled = _size(graph, place, slot)
                sizes[place] += sizes[operand] * local
                lost[place] += lost[operand] * local + sizes[operand] * cancelled
    return [size + more for size, more in zip(sizes, lost, strict=True)]


def _size(graph: Graph, place: int, slot: int) -> tuple[float, float]:
    """Return the size of a local derivative, and how much its terms lose to each other."""
    local = abs(graph.local(place, slot))
    return local, graph.magnitude(place, slot) - local if isfinite(local) else 0.0
