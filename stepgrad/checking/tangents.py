"""Recorded passes in forward mode, compared with reverse mode and complex steps.

Reverse mode gives the tangent of a result, from the gradients of the leaves; complex steps need no
derivative rules, and give the tangent of every node.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, isnan, nan

from stepgrad.checking.comparison import Comparison
from stepgrad.engine.closeness import relative
from stepgrad.engine.dual import gradients, tangent_magnitudes, tangents
from stepgrad.engine.gradcheck import complex_or_rule
from stepgrad.engine.graph import Carry, Graph
from stepgrad.engine.ops import CONSTANT
from stepgrad.recording.blocks import Forward
from stepgrad.recording.recording import Recording
from stepgrad.replay.telling.titles import title

MOST = 16
"""The most passes to check, and the most results of each."""


@dataclass(frozen=True, slots=True)
class _Dual:
    """A pass in forward mode as a graph; earlier nodes that it uses come first, as constants."""

    recording: Recording
    block: Forward
    graph: Graph
    first: int
    seeds: Mapping[int, float]

    @classmethod
    def of(cls, recording: Recording, block: Forward) -> _Dual:
        structure, base = block.structure, block.base
        outer, first = block.outer, len(structure.outer)
        place = {~k: k for k in range(first)}
        place |= {offset: first + offset for offset in range(len(structure))}
        earlier = (recording.history.value(node, block.start) for node in outer)
        graph = Graph(
            [CONSTANT] * first + [block.op(offset) for offset in range(len(structure))],
            [()] * first
            + [
                tuple(place[ref] for ref in structure.operands(offset))
                for offset in range(len(structure))
            ],
            [*(value or 0.0 for value in earlier), *block.values],
        )
        seeds = {node - base + first: tangent for node, tangent in block.seeds.items()}
        return cls(recording, block, graph, first, seeds)

    def tangent(self, place: int) -> float:
        """Return the recorded tangent."""
        assert self.block.tangents is not None, "it is in forward mode"
        return self.block.tangents[place - self.first]

    def title(self, place: int) -> str:
        return title(self.recording, self.block.base + place - self.first)

    @property
    def results(self) -> Sequence[int]:
        """The computed nodes that are not used further, the latest first."""
        used = {operand for operands in self.graph.operands for operand in operands}
        ends = (i for i, operands in enumerate(self.graph.operands) if operands and i not in used)
        return sorted(ends, reverse=True)[:MOST]


def tangent_comparisons(recording: Recording, limit: float) -> Iterator[Comparison]:
    """Compare recorded tangents with other ways; nothing if there is no forward mode."""
    blocks = [b for b in recording.blocks if isinstance(b, Forward) and b.seeds]
    duals = [_Dual.of(recording, block) for block in blocks[:: len(blocks) // MOST + 1]]
    for way, others in (("tangents, reverse", _by_gradients), ("tangents, complex", _by_steps)):
        found = [(dual, *other) for dual in duals for other in others(dual)]
        if duals:
            yield _compared(way, len(duals), limit, found)


def _compared(
    way: str, passes: int, limit: float, found: Sequence[tuple[_Dual, int, float, float]]
) -> Comparison:
    """Compare with the results of another way: pass, place, tangent, and the size of its terms."""
    differences = [
        (relative(dual.tangent(place), other, size), dual.title(place))
        for dual, place, other, size in found
    ]
    known = [(off, name) for off, name in differences if not isnan(off)]
    worst, where = max(known, key=lambda each: each[0], default=(0.0, ""))
    first = next((name for off, name in known if off > limit), "")
    note = f"first to differ: {first}" if first else ""
    skipped = len(found) - len(known)
    return Comparison(way, passes, len(known), skipped, worst, limit, where, note)


def _by_gradients(dual: _Dual) -> Iterator[tuple[int, float, float]]:
    """Yield each result with its tangent by reverse mode, and the size of its terms.

    A shut gate stops an infinite gradient on its way back. Ahead, its 0 meets the infinite local
    derivative and becomes nan: there is nothing to compare then.
    """
    sizes = tangent_magnitudes(dual.graph, dual.seeds)
    ahead = tangents(dual.graph, dual.seeds)
    for result in dual.results:
        towards, places = dual.graph.towards(result)
        paid = dict(zip(places, gradients(towards), strict=True))
        terms = (seed * paid[leaf] for leaf, seed in dual.seeds.items() if leaf in paid)
        yield result, sum(terms) if isfinite(ahead[result]) else nan, sizes[result]


def _by_steps(dual: _Dual) -> Iterator[tuple[int, float, float]]:
    """Yield each computed node with its tangent by complex steps, and the size of its terms."""
    graph = dual.graph

    def step(place: int, slot: int) -> Carry:
        return complex_or_rule(graph.ops[place], graph.inputs(place), graph.values[place], slot)

    sizes, others = tangent_magnitudes(graph, dual.seeds), tangents(graph, dual.seeds, step)
    for place, operands in enumerate(graph.operands):
        if operands:
            yield place, others[place], sizes[place]
