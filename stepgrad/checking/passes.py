"""A backward pass of a recording as a graph of numbers, to be differentiated again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial
from math import isnan

from stepgrad.checking.comparison import GATE
from stepgrad.engine.closeness import relative
from stepgrad.engine.dual import magnitudes
from stepgrad.engine.gradcheck import by_differences, complex_local, complex_or_rule
from stepgrad.engine.graph import Carry, Edges, Graph
from stepgrad.engine.ops import CONSTANT
from stepgrad.numbers import number
from stepgrad.recording.blocks import Backward, Write
from stepgrad.recording.graph import graph_of
from stepgrad.recording.recording import Recording
from stepgrad.replay.telling.derivatives import partial_at
from stepgrad.replay.telling.titles import line_of, made_by, title


@dataclass(frozen=True)
class Pass:
    """A backward pass as a graph: `nodes` are its nodes in the recording, by place.

    `gradients` has what the pass added to each node that it reached, by place, and `sizes` the
    scale of their rounding errors. `kept` has the numbers that operations were computed from, if
    these were changed before the pass: by place, the inputs and the result.
    """

    recording: Recording
    block: Backward
    graph: Graph
    nodes: Sequence[int]
    gradients: Mapping[int, float]
    sizes: Sequence[float]
    kept: Mapping[int, tuple[Sequence[float], float]]

    @classmethod
    def of(cls, recording: Recording, block: Backward) -> Pass:
        """Read a pass off a recording."""
        nodes, graph = graph_of(recording, block.root, block.start)
        place = {node: i for i, node in enumerate(nodes)}
        gradients = {place[block.root]: 1.0}
        for node in nodes:
            column = block.column(node)
            if column is not None and node != block.root:
                gradients[place[node]] = _received(recording, block, node, column)
        kept = _kept(recording, block, nodes, graph)
        return cls(recording, block, graph, nodes, gradients, magnitudes(graph), kept)

    @property
    def leaves(self) -> list[int]:
        """The places of the leaves that the pass reached."""
        return [leaf for leaf in self.graph.leaves if leaf in self.gradients]

    def title(self, place: int) -> str:
        """The name of a node, for a person."""
        return title(self.recording, self.nodes[place])

    @cached_property
    def rules(self) -> Edges:
        """What passes each edge by the op table."""
        return cache(self.graph.edge)

    @cached_property
    def steps(self) -> Edges:
        """What passes each edge by complex steps, from the numbers that were computed with.

        Where no step can be taken, by the op table.
        """
        return cache(self._step)

    def _step(self, place: int, slot: int) -> Carry:
        return complex_or_rule(self.graph.ops[place], *self._numbers(place), slot)

    @cached_property
    def as_computed(self) -> Edges:
        """What passes each edge by the op table, from the numbers that were computed with."""
        return cache(self._as_computed)

    def _as_computed(self, place: int, slot: int) -> Carry:
        inputs, out = self._numbers(place)
        return partial(self.graph.ops[place].carry[slot], *inputs, out)

    def _numbers(self, place: int) -> tuple[Sequence[float], float]:
        return self.kept.get(place) or (self.graph.inputs(place), self.graph.values[place])

    @property
    def unstepped(self) -> list[int]:
        """The places where no complex step can be taken: kinks and boundaries of domains."""
        ops, unknown = self.graph.ops, self.unknown
        return [
            place
            for place in range(len(self.graph))
            if place not in unknown
            and any(
                complex_local(ops[place], self._numbers(place)[0], slot) is None
                for slot, _ in self.graph.variable(place)
            )
        ]

    @cached_property
    def own(self) -> list[int]:
        """The places of operations that the program defines."""
        return [place for place, op in enumerate(self.graph.ops) if op.stored]

    @cached_property
    def unknown(self) -> list[int]:
        """The places of those whose function is not known: only results and derivatives are."""
        ops = self.graph.ops
        return [place for place in self.own if not ops[place].known]

    @property
    def differenced(self) -> list[int]:
        """The places of those whose function takes no complex numbers."""
        edges = ((place, slot) for place in self.own for slot, _ in self.graph.variable(place))
        ops = self.graph.ops
        found = {p for p, slot in edges if by_differences(ops[p], self._numbers(p)[0], slot)}
        return sorted(found)

    @property
    def kinks(self) -> list[int]:
        """The places where an operation has two one-sided derivatives."""
        return [
            place
            for place, op in enumerate(self.graph.ops)
            if op.partials and op.at_kink(self.graph.inputs(place))
        ]

    def first_difference(self) -> str:
        """Name the first edge or gradient to be wrong, in the order of the backward pass.

        That is an edge whose numbers were changed before the pass, or whose local derivative is
        not that of the complex step, or is infinite where 0 arrives; or a gradient that is not the
        sum of its contributions.
        """
        graph, summed = self.graph, [0.0] * len(self.graph)
        summed[-1] = 1.0
        for place in range(len(graph) - 1, -1, -1):
            if graph.ops[place] is CONSTANT:  # it has no gradient
                continue
            grad = self.gradients.get(place, 0.0)
            if relative(grad, summed[place], self.sizes[place]) > GATE:
                found, due = number(grad), number(summed[place])
                name = self._made(place)
                return f"the gradient of {name} is {found}; its contributions sum to {due}"
            for slot, operand in graph.variable(place):
                if told := self._wrong(place, slot) or self._undefined(place, slot, grad):
                    return told
                summed[operand] += self.rules(place, slot)(grad)
        return ""

    def _wrong(self, place: int, slot: int) -> str:
        """Say what is wrong with a local derivative; nothing if it is right."""
        rule, size = self.rules(place, slot)(1.0), self.graph.magnitude(place, slot)
        edge, kept = self._edge(place, slot), self.as_computed(place, slot)(1.0)
        if relative(rule, kept, size) > GATE:
            return (
                f"{edge} is {number(rule)}, but {number(kept)} with the numbers that "
                f"{self._made(place)} was made of: {self._changed(place)} before the backward pass"
            )
        step = self.steps(place, slot)(1.0)
        if relative(rule, step, size) > GATE:
            op = self.graph.ops[place]
            whose = f"{'as given with' if op.stored else 'by the rule of'} `{op.name}`"
            way = "by its function" if op.stored else "by a complex step"
            where = self._made(place)
            return f"{edge} is {number(rule)} {whose}, but {number(step)} {way}, at {where}"
        return ""

    def _changed(self, place: int) -> str:
        """Say which number of an operation was changed later, and where: `w was changed (…)`."""
        history, pass_ = self.recording.history, self.block
        made = history.made_at(self.nodes[place])
        for block in self.recording.blocks_between(made, pass_.start):
            for operand in (*self.graph.operands[place], place):
                writes = block.writes if isinstance(block, Write) else None
                if writes and (found := writes.updates.get(self.nodes[operand])):
                    where = writes.place(found[0])
                    line = f", {line_of(self.recording, where)}" if where else ""
                    event = block.start + found[0] + 1
                    return f"{self.title(operand)} was changed (event {event}{line})"
        return "one of them was changed"

    def _undefined(self, place: int, slot: int, grad: float) -> str:
        """Say where 0 meets ∞, if it does."""
        edge = self.rules(place, slot)
        rule = edge(1.0)
        if not isnan(edge(grad)) or isnan(grad) or isnan(rule):
            return ""
        return (
            f"{number(grad)} arrives at {self._made(place)}, where "
            f"{self._edge(place, slot)} is {number(rule)}: the product is nan"
        )

    def _edge(self, place: int, slot: int) -> str:
        return partial_at(self.recording, self.nodes[place], slot)

    def _made(self, place: int) -> str:
        """A node, with when and where it was made: `y (event 5, train.py:12)`."""
        node = self.nodes[place]
        line = made_by(self.recording, self.recording.node(node))
        event = self.recording.history.made_at(node)
        return f"{self.title(place)} (event {event}{line and ', '}{line})"


def _kept(
    recording: Recording, block: Backward, nodes: Sequence[int], graph: Graph
) -> dict[int, tuple[Sequence[float], float]]:
    """Return the numbers that operations were computed from, if they were changed later."""
    history = recording.history
    computed = (node for node, operands in zip(nodes, graph.operands, strict=True) if operands)
    begin = history.made_at(next(computed, block.root)) - 1
    blocks = recording.blocks_between(begin, block.start)
    if not any(isinstance(each, Write) and each.writes.updates for each in blocks):
        return {}
    kept: dict[int, tuple[Sequence[float], float]] = {}
    for place, (node, operands) in enumerate(zip(nodes, graph.operands, strict=True)):
        made = history.made_at(node)
        then = [history.value(nodes[operand], made) or 0.0 for operand in operands]
        out = history.first_value(node)
        if operands and repr((then, out)) != repr((graph.inputs(place), graph.values[place])):
            kept[place] = then, out
    return kept


def _received(recording: Recording, block: Backward, node: int, column: int) -> float:
    """What a pass added to a gradient: the sum of its contributions, unless the gradient disagrees.

    The sum has no rounding error from what was in the gradient before.
    """
    history, after, before = recording.history, block.grads[column], 0.0
    if column >= block.sweep.computed:  # those of computed nodes start from 0 in each pass
        before = history.grad(node, block.start) or 0.0
    edges = [history.edge(block, edge) for edge in block.sweep.incoming[column]]
    terms = [contribution for _, _, contribution in edges]
    size = sum(map(abs, terms), abs(before))
    honest = not relative(before + sum(terms), after, size) > GATE  # also for nan and nan
    return sum(terms) if honest else after - before
