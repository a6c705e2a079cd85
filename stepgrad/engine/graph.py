"""`Graph`: a computation as plain columns, for whoever differentiates it in another way.

The log of a program and a Value's history both come down to this: which operation, on which
earlier nodes, gave which number. Forward mode and the gradient check work on it, and so they can
check a recording as well as a program.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stepgrad.engine.backward import ancestors
from stepgrad.engine.ops import CONSTANT, LEAF, Op
from stepgrad.engine.value import Value


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
    def of(cls, root: Value) -> Graph:
        """Describe a Value and everything it was made from."""
        computed = ancestors(root)
        sources = {operand for node in computed for operand in node._operands} | {root}
        return cls.among(sorted({*sources, *computed}, key=lambda node: node._stamp))

    @classmethod
    def among(cls, nodes: Sequence[Value]) -> Graph:
        """Describe Values; before them stand, as constants, what else they were made from."""
        used = dict.fromkeys(operand for node in nodes for operand in node._operands)
        others = list(used.keys() - set(nodes))
        place = {node: i for i, node in enumerate([*others, *nodes])}
        return cls(
            [CONSTANT] * len(others) + [node._operation for node in nodes],
            [()] * len(others)
            + [tuple(place[operand] for operand in node._operands) for node in nodes],
            [node._data for node in place],
        )

    def __len__(self) -> int:
        return len(self.ops)

    @property
    def leaves(self) -> list[int]:
        """The places that take a gradient and were computed by nothing."""
        return [place for place, op in enumerate(self.ops) if op is LEAF]

    def inputs(self, place: int) -> list[float]:
        """Return the numbers that a node was computed from."""
        return [self.values[operand] for operand in self.operands[place]]

    def local(self, place: int, slot: int) -> float:
        """Return the derivative of a node by one of its operands."""
        return self.ops[place].local[slot](*self.inputs(place), self.values[place])

    def given(self, leaves: Mapping[int, float]) -> Graph:
        """Compute everything again, with other numbers for some leaves."""
        values = list(self.values)
        for place, (op, operands) in enumerate(zip(self.ops, self.operands, strict=True)):
            if operands:
                values[place] = op.value(*[values[operand] for operand in operands])
            else:
                values[place] = leaves.get(place, values[place])
        return Graph(self.ops, self.operands, values)
