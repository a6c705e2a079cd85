"""`Graph`: a computation as plain columns, to be differentiated in other ways.

A program's log and a Value's history both come down to this: which operation on which earlier nodes
gave which number. Forward mode and the gradient check work on it, so they can check a recording as
well as a program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from stepgrad.engine.node import Node
from stepgrad.engine.ops import CONSTANT, LEAF, OPS, Op

Carry = Callable[[float], float]
"""What passes an edge when a gradient or a tangent arrives; for 1, the local derivative."""

Edges = Callable[[int, int], Carry]
"""What each edge carries, given the place of its node and the slot of the operand."""


def _row(node: Node) -> Op:
    """Return the operation of a node, without what is particular about constants among operands."""
    op = node._operation
    return op.holding(node._locals) if op.stored else OPS[op.code]


class Graph(NamedTuple):
    """Nodes in the order of creation; the last is the root.

    Args:
        ops: the operation of each node.
        operands: the places of its operands, which come before it.
        values: its number.
    """

    ops: Sequence[Op]
    operands: Sequence[tuple[int, ...]]
    values: Sequence[float]

    @classmethod
    def among(cls, nodes: Sequence[Node]) -> Graph:
        """Describe Values; their other operands come first, as constants."""
        used = {operand._stamp: operand for node in nodes for operand in node._operands}
        for node in nodes:
            used.pop(node._stamp, None)
        others = list(used.values())
        place = {node._stamp: i for i, node in enumerate([*others, *nodes])}
        return cls(
            [CONSTANT] * len(others) + [_row(node) for node in nodes],
            [()] * len(others)
            + [tuple(place[operand._stamp] for operand in node._operands) for node in nodes],
            [node._data for node in (*others, *nodes)],
        )

    def __len__(self) -> int:
        return len(self.ops)

    @property
    def leaves(self) -> list[int]:
        """The places of leaves: they take a gradient but are not computed."""
        return [place for place, op in enumerate(self.ops) if op is LEAF]

    def inputs(self, place: int) -> list[float]:
        """Return the numbers that a node was computed from."""
        return [self.values[operand] for operand in self.operands[place]]

    def variable(self, place: int) -> Iterator[tuple[int, int]]:
        """Yield the slots and places of a node's operands that are not plain numbers."""
        for slot, operand in enumerate(self.operands[place]):
            if self.ops[operand] is not CONSTANT:
                yield slot, operand

    def edge(self, place: int, slot: int) -> Carry:
        """Return what passes an edge, by the op table."""
        return partial(self.ops[place].carry[slot], *self.inputs(place), self.values[place])

    def magnitude(self, place: int, slot: int) -> float:
        """Return the scale of that derivative's rounding error: the sum of its absolute terms."""
        return self.ops[place].magnitude[slot](*self.inputs(place), self.values[place])

    def towards(self, root: int) -> tuple[Graph, Sequence[int]]:
        """Return the graph of a node and its ancestors, and their places in this one."""
        found = {root}
        for place in range(root, -1, -1):
            if place in found:
                found.update(self.operands[place])
        places = sorted(found)
        there = {place: i for i, place in enumerate(places)}
        operands = [tuple(there[operand] for operand in self.operands[p]) for p in places]
        part = Graph([self.ops[p] for p in places], operands, [self.values[p] for p in places])
        return part, places

    def given(self, leaves: Mapping[int, float]) -> Graph:
        """Return this graph computed again, with other numbers for some leaves.

        What follows from an operation whose function is not known is nan.
        """
        ops, values = list(self.ops), list(self.values)
        for place, (op, operands) in enumerate(zip(self.ops, self.operands, strict=True)):
            if operands:
                inputs = [values[operand] for operand in operands]
                values[place] = op.value(*inputs)
                ops[place] = op.at(inputs)
            else:
                values[place] = leaves.get(place, values[place])
        return Graph(ops, self.operands, values)
