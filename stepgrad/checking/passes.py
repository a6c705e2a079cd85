"""A backward pass of a recording as a graph of numbers, for whoever differentiates it anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from stepgrad.engine.dual import magnitudes
from stepgrad.engine.gradcheck import at_kink, complex_local
from stepgrad.engine.graph import Graph
from stepgrad.numbers import number
from stepgrad.recording.blocks import Backward
from stepgrad.recording.recording import Recording
from stepgrad.recording.structure import index_to_ref
from stepgrad.replay.titles import made_by, title

GATE = 1e-10
"""How far derivatives in double precision may be off, relative to the terms they are sums of."""

PASSES = 3
"""How many passes of a training are checked: the first, the last, and between."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What one other way makes of a recording.

    `compared` gradients were: each by itself, or in random sums of all. `worst` is the largest
    difference, relative to the sum of the absolute terms of the gradient; at most `limit`, where
    there is one. `where` says whose gradient that is, and `own_error` how far the other way may be
    off there. `note` is what is to be known besides. Where the two disagree, `first` says what is
    the first to be wrong on the way back.
    """

    way: str
    compared: int
    worst: float
    limit: float | None
    where: str = ""
    note: str = ""
    first: str = ""
    own_error: float | None = None

    @property
    def ok(self) -> bool:
        """Whether the two ways agree."""
        return self.limit is None or self.worst <= self.limit


@dataclass(frozen=True, slots=True)
class Pass:
    """A backward pass as a graph: `nodes` are its nodes in the recording, by place.

    `gradients` is what the pass paid into each node it reached, by place; `sizes` are the sums of
    the absolute terms that gradients are made of.
    """

    recording: Recording
    block: Backward
    graph: Graph
    nodes: Sequence[int]
    gradients: Mapping[int, float]
    sizes: Sequence[float]

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
        for node in nodes:
            column = block.sweep.column.get(index_to_ref(node, block.base))
            if column is not None and node != block.root:
                paid[place[node]] = _paid(recording, block, node, column)
        return cls(recording, block, graph, nodes, paid, magnitudes(graph))

    @property
    def leaves(self) -> list[int]:
        """The places of the leaves that the pass reached."""
        return [leaf for leaf in self.graph.leaves if leaf in self.gradients]

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

        That is a node whose numbers were changed under it; or a gradient that is not the sum of
        what its edges bring; or an edge whose local derivative is not that of the complex step.
        """
        if self.outdated is not None:
            made = self._made(self.outdated)
            return f"an operand of {made} was changed between its forward and its backward pass"
        summed = [0.0] * len(self.graph)
        summed[-1] = 1.0
        for place in range(len(self.graph) - 1, -1, -1):
            grad = self.gradients.get(place, 0.0)
            if relative(grad, summed[place], self.sizes[place]) > GATE:
                edges = number(summed[place])
                return (
                    f"the gradient of {self._made(place)} is {number(grad)}, by its edges {edges}"
                )
            for slot, operand in enumerate(self.graph.operands[place]):
                rule, step = self.graph.local(place, slot), complex_local(self.graph, place, slot)
                if isfinite(rule) and abs(rule - step) > GATE * max(1, abs(step)):
                    return (
                        f"∂{self.title(place)}/∂{self.title(operand)} is {number(rule)} by the "
                        f"rule of `{self.graph.ops[place].name}`, {number(step)} by a complex "
                        f"step; made there: {self._made(place)}"
                    )
                summed[operand] += grad * rule
        return ""

    def _made(self, place: int) -> str:
        """A node, with when and where it was made: `y (event 5, train.py:12)`."""
        node = self.nodes[place]
        line = made_by(self.recording, self.recording.node(node))
        event = self.recording.history.made_at(node)
        return f"{self.title(place)} (event {event}{line and ', '}{line})"


def passes(recording: Recording) -> list[Pass]:
    """Return the backward passes to check: of many, the first, the last, and between."""
    blocks = [block for block in recording.blocks if isinstance(block, Backward)]
    count = min(PASSES, len(blocks))
    picked = {round(i * (len(blocks) - 1) / max(count - 1, 1)) for i in range(count)}
    return [Pass.of(recording, blocks[i]) for i in sorted(picked)]


FAINTEST = 1e-150
"""Gradients below this count as nothing: a complex step along them would be lost."""


def relative(ours: float, other: float, size: float) -> float:
    """The difference of two numbers, relative to the terms that they are sums of."""
    if ours == other:
        return 0.0
    return abs(ours - other) / max(size, abs(ours), abs(other), FAINTEST)


def _ancestors(recording: Recording, root: int) -> list[int]:
    found, stack = {root}, [root]
    while stack:
        for operand in recording.node(stack.pop()).operands:
            if operand not in found:
                found.add(operand)
                stack.append(operand)
    return sorted(found)


def _paid(recording: Recording, block: Backward, node: int, column: int) -> float:
    """What a pass added to a gradient: the sum of its edges, unless the gradient says otherwise.

    A gradient that was there before has digits of its own; the sum is free of their rounding.
    """
    history, after, before = recording.history, block.grads[column], 0.0
    if column >= block.sweep.computed:  # those of computed nodes begin anew with each pass
        before = history.grad(node, block.start) or 0.0
    edges = [history.edge(block, edge) for edge in block.sweep.incoming[column]]
    terms = [upstream * local for upstream, local in edges]
    size = sum(map(abs, terms), abs(before))
    honest = not relative(before + sum(terms), after, size) > GATE  # of nan and nan, too
    return sum(terms) if honest else after - before
