"""The shapes of what comes after a forward pass: sweeps over it, and writes; no numbers."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from operator import itemgetter

from stepgrad.engine.node import Node
from stepgrad.engine.ops import CONSTANT, LEAF, OPS
from stepgrad.engine.tape import Place, WriteKind
from stepgrad.recording.structure import Structure


@dataclass(frozen=True, eq=False)
class Sweep:
    """A backward pass: the nodes it reaches and the edges it walks, in order.

    The gradients of a pass form a column: first the computed nodes, newest first, then the leaves.

    Args:
        refs: the node of each place in the column.
        computed: how many of them are computed nodes.
        outs: for each edge, the column of the node whose gradient it passes on.
        slots: for each edge, which operand of that node receives.
        receivers: for each edge, the column of that operand.
    """

    refs: array[int]
    computed: int
    outs: array[int]
    slots: bytes
    receivers: array[int]

    @classmethod
    def of(
        cls, order: Sequence[Node], leaves: Sequence[Node], ref_of: Callable[[Node], int]
    ) -> Sweep:
        """Describe a sweep over `order` (newest first) that ends in `leaves`."""
        reached = [*order, *leaves]
        column = {node._stamp: place for place, node in enumerate(reached)}
        edges = [
            (column[node._stamp], slot, column[operand._stamp])
            for node in order
            for slot, operand in enumerate(node._operands)
            if operand._operation is not CONSTANT
        ]
        return cls(
            refs=array("q", map(ref_of, reached)),
            computed=len(order),
            outs=array("q", (out for out, _, _ in edges)),
            slots=bytes(slot for _, slot, _ in edges),
            receivers=array("q", (receiver for _, _, receiver in edges)),
        )

    @property
    def root(self) -> int:
        """The ref of the node that the pass starts from."""
        return self.refs[0]

    @property
    def edges(self) -> int:
        """How many edges the pass walks."""
        return len(self.slots)

    @cached_property
    def column(self) -> dict[int, int]:
        """The place of each node in the column, by ref."""
        return {ref: place for place, ref in enumerate(self.refs)}

    @cached_property
    def incoming(self) -> list[list[int]]:
        """For each place of the column, the edges that end there, in order."""
        edges: list[list[int]] = [[] for _ in self.refs]
        for edge, receiver in enumerate(self.receivers):
            edges[receiver].append(edge)
        return edges

    @cached_property
    def completions(self) -> list[int]:
        """For each node, how many edges are walked by the time its gradient is complete.

        In ascending order, and without the root, which is seeded.
        """
        return sorted(dict(zip(self.receivers, count(1))).values())

    @cached_property
    def outer(self) -> tuple[int, ...]:
        """The indices of the reached nodes of earlier blocks."""
        return tuple(~ref for ref in self.refs if ref < 0)


class OwnSweep(Sweep):
    """A sweep that starts from a computed node of a structure and takes no others but leaves.

    It follows from the structure, so it is derived when it is first looked at, and does not slow
    down the program that is being recorded. Its column holds computed nodes, leaves of the block
    and leaves of earlier blocks, in this order, each newest first.
    """

    def __init__(self, structure: Structure, root: int, edges: int) -> None:
        vars(self).update(_structure=structure, _root=root, _edges=edges)

    _structure: Structure
    _root: int
    _edges: int

    @property
    def root(self) -> int:
        """The offset of the node that the pass starts from."""
        return self._root

    @property
    def edges(self) -> int:
        """How many edges the pass walks."""
        return self._edges

    @cached_property
    def refs(self) -> array[int]:
        """The node of each place in the column."""
        codes = self._structure.codes
        reached = sorted(self._structure.reached(self._root)[0])
        own = [ref for ref in reversed(reached) if ref >= 0]
        computed = [offset for offset in own if OPS[codes[offset]].partials]
        leaves = [offset for offset in own if codes[offset] == LEAF.code]
        return array("q", [*computed, *leaves, *(ref for ref in reached if ref < 0)])

    @cached_property
    def computed(self) -> int:
        """How many of them are computed nodes."""
        return sum(ref >= 0 and bool(self._structure.op(ref).partials) for ref in self.refs)

    @cached_property
    def _walk(self) -> list[tuple[int, int, int]]:
        column, operands = self.column, self._structure.operands
        return [
            (out, slot, column[ref])
            for out, offset in enumerate(self.refs[: self.computed])
            for slot, ref in enumerate(operands(offset))
            if ref in column  # a constant is not
        ]

    @cached_property
    def outs(self) -> array[int]:
        """For each edge, the column of the node whose gradient it passes on."""
        return array("q", (out for out, _, _ in self._walk))

    @cached_property
    def slots(self) -> bytes:
        """For each edge, which operand of that node receives."""
        return bytes(slot for _, slot, _ in self._walk)

    @cached_property
    def receivers(self) -> array[int]:
        """For each edge, the column of that operand."""
        return array("q", (receiver for _, _, receiver in self._walk))


@dataclass(frozen=True, eq=False)
class Writes:
    """Values and gradients written one after the other: what kind of write, and which node.

    Where lines are recorded, `places` hold from which write on they were made at which place.
    """

    kinds: tuple[WriteKind, ...]
    nodes: tuple[int, ...]
    places: tuple[tuple[int, Place], ...] = ()

    def place(self, write: int) -> Place | None:
        """Return which line made a write; None where that is not known."""
        at = bisect_right(self.places, write, key=itemgetter(0)) - 1
        return self.places[at][1] if at >= 0 else None

    @cached_property
    def gradients(self) -> dict[int, list[int]]:
        """For each node whose gradient is written, the places of those writes."""
        return self._places(lambda kind: kind != "update")

    @cached_property
    def updates(self) -> dict[int, list[int]]:
        """For each node whose value is written, the places of those writes."""
        return self._places(lambda kind: kind == "update")

    def _places(self, wanted: Callable[[WriteKind], bool]) -> dict[int, list[int]]:
        places: dict[int, list[int]] = {}
        for place, (kind, node) in enumerate(zip(self.kinds, self.nodes, strict=True)):
            if wanted(kind):
                places.setdefault(node, []).append(place)
        return places


def leaves_of(order: Iterable[Node], root: Node) -> list[Node]:
    """Return the leaves that a sweep over `order` reaches, in the order of the first edge.

    Where nothing is computed, that is the root.
    """
    if root._first is None:
        return [root]
    reached = {
        operand._stamp: operand
        for node in order
        for operand in node._operands
        if operand._first is None and operand._operation is not CONSTANT
    }
    return list(reached.values())
