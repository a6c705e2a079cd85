"""`Graph`: a computation as plain columns, to be differentiated in other ways.

The log of a program and a Value's history both come down to this: which operation, on which
earlier nodes, gave which number. Forward mode and the gradient check work on it, so they can check
a recording as well as a program.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from stepgrad.engine.ops import CONSTANT, LEAF, Op
from stepgrad.engine.value import Value

Local = Callable[[int, int], float]
"""The derivative of a node with respect to an operand, by the node's place and the slot."""


@dataclass(frozen=True, slots=True)
class Graph:
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
    def among(cls, nodes: Sequence[Value]) -> Graph:
        """Describe Values. What else they were made from comes first, as constants."""
        used = {operand._stamp: operand for node in nodes for operand in node._operands}
        for node in nodes:
            used.pop(node._stamp, None)
        others = list(used.values())
        place = {node._stamp: i for i, node in enumerate([*others, *nodes])}
        return cls(
            [CONSTANT] * len(others) + [node._operation for node in nodes],
            [()] * len(others)
            + [tuple(place[operand._stamp] for operand in node._operands) for node in nodes],
            [node._data for node in (*others, *nodes)],
        )

    def __len__(self) -> int:
        return len(self.ops)

    @property
    def leaves(self) -> list[int]:
        """The places of inputs and parameters: they take a gradient and are not computed."""
        return [place for place, op in enumerate(self.ops) if op is LEAF]

    def inputs(self, place: int) -> list[float]:
        """Return the numbers that a node was computed from."""
        return [self.values[operand] for operand in self.operands[place]]

    def local(self, place: int, slot: int) -> float:
        """Return the derivative of a node with respect to one of its operands."""
        return self.ops[place].local[slot](*self.inputs(place), self.values[place])

    def magnitude(self, place: int, slot: int) -> float:
        """Return the scale of that derivative's rounding error: its terms, absolutely."""
        return self.ops[place].magnitude[slot](*self.inputs(place), self.values[place])

    def towards(self, root: int) -> tuple[Graph, Sequence[int]]:
        """Return the part that a node is computed from, and the places of its nodes in this one."""
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
        """Return the graph computed again, with other numbers for some leaves."""
        values = list(self.values)
        for place, (op, operands) in enumerate(zip(self.ops, self.operands, strict=True)):
            if operands:
                values[place] = op.value(*[values[operand] for operand in operands])
            else:
                values[place] = leaves.get(place, values[place])
        return Graph(self.ops, self.operands, values)
