"""A recorded backward pass, held against other ways to the same derivatives.

Reverse mode is what was recorded. Forward mode comes to the same numbers with the same rules in
the other order; the complex step and the central difference need no rules at all; PyTorch, where
it is installed, has rules of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from math import isfinite
from random import Random

from stepgrad.engine.dual import magnitudes, tangents
from stepgrad.engine.gradcheck import (
    at_kink,
    central_difference,
    complex_local,
    complex_tangents,
)
from stepgrad.engine.graph import Graph
from stepgrad.progress import advance
from stepgrad.recording.blocks import Backward
from stepgrad.recording.recording import Recording
from stepgrad.recording.structure import index_to_ref
from stepgrad.replay.numbers import number
from stepgrad.replay.titles import title
from stepgrad.replay.verify_tangents import tangent_agreements

GATE = 1e-10
"""How far forward mode and the complex step may be off, relative to the terms of the gradient."""

TORCH_GATE = 1e-12
"""The same for PyTorch."""

PASSES = 3
"""How many passes of a training are checked: the first, the last, and between."""

WORK = 2_000_000
"""Up to so many nodes times leaves, every leaf is checked by itself; beyond, in random sums."""

PROBES = 3


@dataclass(frozen=True, slots=True)
class Comparison:
    """What one other way makes of a recording.

    `worst` is the largest difference, relative to the sum of the absolute terms of the gradient;
    at most `limit`, where there is one. `where` says whose gradient that is, `note` what is to be
    known besides.
    """

    way: str
    compared: int
    worst: float
    limit: float | None
    where: str = ""
    note: str = ""

    @property
    def ok(self) -> bool:
        """Whether the two ways agree."""
        return self.limit is None or self.worst <= self.limit


@dataclass(frozen=True, slots=True)
class Pass:
    """A backward pass as a graph: `nodes` are its nodes in the recording, by place.

    `gradients` is what the pass paid into each node it reached, by place.
    """

    recording: Recording
    block: Backward
    graph: Graph
    nodes: Sequence[int]
    gradients: Mapping[int, float]

    @classmethod
    def of(cls, recording: Recording, block: Backward) -> Pass:
        """Read a pass off a recording."""
        nodes = _ancestors(recording, block.root)
        place = {node: i for i, node in enumerate(nodes)}
        described = [recording.node(node) for node in nodes]
        values = [recording.history.value(node, block.start) for node in nodes]
        graph = Graph(
            [node.op for node in described],
            [tuple(place[operand] for operand in node.operands) for node in described],
            [float("nan") if value is None else value for value in values],
        )
        paid = {place[block.root]: 1.0}
        sweep = block.sweep
        for node in nodes:
            column = sweep.column.get(index_to_ref(node, block.base))
            if column is not None and node != block.root:
                edges = (recording.history.edge(block, edge) for edge in sweep.incoming[column])
                paid[place[node]] = sum(upstream * local for upstream, local in edges)
        return cls(recording, block, graph, nodes, paid)

    def title(self, place: int) -> str:
        """What a person calls a node."""
        return title(self.recording, self.nodes[place])

    @property
    def kinks(self) -> list[int]:
        """The places where an operation has two derivatives."""
        return [
            place
            for place, op in enumerate(self.graph.ops)
            if op.partials and at_kink(op, self.graph.inputs(place))
        ]

    @property
    def outdated(self) -> int | None:
        """The first node whose operands were changed between the forward pass and this one."""
        for place, (op, value) in enumerate(zip(self.graph.ops, self.graph.values, strict=True)):
            if op.partials and repr(op.value(*self.graph.inputs(place))) != repr(value):
                return place
        return None

    def first_difference(self) -> str:
        """Say what is the first to be wrong, on the way back.

        That is a node whose numbers were changed under it, or else an edge whose local derivative
        is not that of the complex step.
        """
        if self.outdated is not None:
            name = self.title(self.outdated)
            return f"an operand of {name} was changed between its forward and its backward pass"
        for place in range(len(self.graph) - 1, -1, -1):
            for slot, operand in enumerate(self.graph.operands[place]):
                rule, step = self.graph.local(place, slot), complex_local(self.graph, place, slot)
                if (
                    isfinite(rule)
                    and isfinite(step)
                    and abs(rule - step) > GATE * max(1, abs(step))
                ):
                    out, into = self.title(place), self.title(operand)
                    made = self.recording.history.made_at(self.nodes[place])
                    return (
                        f"∂{out}/∂{into} is {number(rule)} by the rule of "
                        f"`{self.graph.ops[place].name}`, {number(step)} by a complex step "
                        f"({out} is made at {made})"
                    )
        return ""


def _ancestors(recording: Recording, root: int) -> list[int]:
    found, stack = {root}, [root]
    while stack:
        for operand in recording.node(stack.pop()).operands:
            if operand not in found:
                found.add(operand)
                stack.append(operand)
    return sorted(found)


def passes(recording: Recording) -> list[Pass]:
    """Return the backward passes to check: of many, the first, the last, and between."""
    blocks = [block for block in recording.blocks if isinstance(block, Backward)]
    count = min(PASSES, len(blocks))
    picked = {round(i * (len(blocks) - 1) / max(count - 1, 1)) for i in range(count)}
    return [Pass.of(recording, blocks[i]) for i in sorted(picked)]


@dataclass(frozen=True, slots=True)
class _Difference:
    """How far a way is off at a node, or along a direction (`place` is None)."""

    place: int | None
    relative: float
    own_error: float = 0.0


def verify(recording: Recording) -> list[Comparison]:
    """Hold a recording's gradients against every other way there is; says how far it is.

    Tangents are held against other ways to them. Nothing where there is neither. What is not finite
    cannot be compared, and is told.
    """
    checked = passes(recording)
    ways = [way for way in _WAYS if way.name != "PyTorch" or find_spec("torch") is not None]
    comparisons = []
    for i, way in enumerate(ways if checked else ()):
        found: list[tuple[Pass, _Difference]] = []
        for j, each in enumerate(checked):
            advance(i * len(checked) + j, len(ways) * len(checked))
            found += [(each, difference) for difference in way.differences(each)]
        comparisons.append(_comparison(way, checked, found))
    tangents_held = (Comparison(*each) for each in tangent_agreements(recording, GATE))
    return [*comparisons, *tangents_held]


@dataclass(frozen=True, slots=True)
class _Way:
    """Another way to the derivatives, and how far it may be off."""

    name: str
    limit: float | None
    differences: Callable[[Pass], Iterator[_Difference]]


def _comparison(
    way: _Way, checked: Sequence[Pass], found: Sequence[tuple[Pass, _Difference]]
) -> Comparison:
    finite = [(each, difference) for each, difference in found if isfinite(difference.relative)]
    if not finite:
        return Comparison(way.name, 0, 0.0, way.limit, note="nothing finite to compare")
    at, worst = max(finite, key=lambda pair: pair[1].relative)
    where = "a random direction" if worst.place is None else at.title(worst.place)
    notes = []
    if way.limit is None:
        notes.append(f"its own error is about {worst.own_error:.1e}")
    elif worst.relative > way.limit and (first := at.first_difference()):
        notes.append(first)
    if len(finite) < len(found):
        notes.append(f"{len(found) - len(finite)} not finite, not compared")
    kinks = list(dict.fromkeys(each.title(place) for each in checked for place in each.kinks))
    if kinks and way.name in ("complex step", "central differences"):
        more = f" and {len(kinks) - 3} more" if len(kinks) > 3 else ""
        notes.append(f"kinks, taken as the rules do: {', '.join(kinks[:3])}{more}")
    return Comparison(way.name, len(finite), worst.relative, way.limit, where, "; ".join(notes))


def _by_tangents(
    tangents_of: Callable[[Graph, Mapping[int, float]], Sequence[float]],
) -> Callable[[Pass], Iterator[_Difference]]:
    """Compare leaf by leaf where that is not too much work, else along random directions."""

    def differences(each: Pass) -> Iterator[_Difference]:
        graph, sizes = each.graph, magnitudes(each.graph)
        leaves = [leaf for leaf in graph.leaves if leaf in each.gradients]
        if len(leaves) * len(graph) <= WORK:
            for leaf in leaves:
                other = tangents_of(graph, {leaf: 1.0})[-1]
                yield _Difference(leaf, _relative(each.gradients[leaf], other, sizes[leaf]))
            return
        random = Random(0)
        for _ in range(PROBES):
            seeds = {leaf: random.choice((-1.0, 1.0)) for leaf in leaves}
            ours = sum(seed * each.gradients[leaf] for leaf, seed in seeds.items())
            size = sum(sizes[leaf] for leaf in leaves)
            yield _Difference(None, _relative(ours, tangents_of(graph, seeds)[-1], size))

    return differences


def _relative(ours: float, other: float, size: float) -> float:
    """The difference of two numbers, relative to the terms that they are sums of."""
    if ours == other:
        return 0.0
    return abs(ours - other) / max(size, abs(ours), abs(other))


def _central(each: Pass) -> Iterator[_Difference]:
    graph, sizes = each.graph, magnitudes(each.graph)
    leaves = [leaf for leaf in graph.leaves if leaf in each.gradients]
    most = max(WORK // (4 * len(graph)), 1)
    for leaf in leaves[:: -(-len(leaves) // most)] if leaves else ():
        slope = central_difference(graph, leaf)
        yield _Difference(
            leaf,
            _relative(each.gradients[leaf], slope.value, sizes[leaf]),
            slope.error / max(sizes[leaf], abs(slope.value)) if slope.value or sizes[leaf] else 0.0,
        )


def _pytorch(each: Pass) -> Iterator[_Difference]:
    from stepgrad.replay.pytorch import torch_gradients  # noqa: PLC0415 - an extra, and slow

    sizes, theirs = magnitudes(each.graph), torch_gradients(each.graph)
    for leaf in each.graph.leaves:
        if leaf in each.gradients:
            ours = each.gradients[leaf]
            yield _Difference(leaf, _relative(ours, theirs[leaf], sizes[leaf]))


_WAYS = (
    _Way("forward mode", GATE, _by_tangents(tangents)),
    _Way("complex step", GATE, _by_tangents(complex_tangents)),
    _Way("central differences", None, _central),
    _Way("PyTorch", TORCH_GATE, _pytorch),
)
