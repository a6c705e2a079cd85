"""The shapes that passes share: which nodes, which edges, which writes; no numbers.

Training runs the same program a thousand times, so its shape is stored once. A shape names a node
by a *ref*: its offset in the block at hand where that is 0 or more, and `~index` for the node
`index` of an earlier block. Two passes of the same shape thus have equal refs.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, chain, count, repeat
from operator import itemgetter

from stepgrad.engine.ops import CONSTANT, LEAF, OPS, Op
from stepgrad.engine.tape import Place, WriteKind
from stepgrad.engine.value import Value

_ARITIES = bytes(len(op.partials) for op in OPS).ljust(256, b"\0")
"""By code, for `bytes.translate`."""


def ref_to_index(ref: int, base: int) -> int:
    """Return the index of the node that `ref` names in a block whose first node is `base`."""
    return base + ref if ref >= 0 else ~ref


def index_to_ref(index: int, base: int) -> int:
    """Return the ref that names node `index` in a block whose first node is `base`."""
    return index - base if index >= base else ~index


@dataclass(frozen=True, eq=False)
class Structure:
    """The nodes of a forward block, in the order in which they were made.

    Args:
        codes: the operation of each node, as its code.
        refs: the operands of all nodes, one after the other.
        names: the labels, by offset.
        places: from which offset on nodes were made where.
    """

    codes: bytes
    refs: array[int]
    names: dict[int, str]
    places: tuple[tuple[int, Place], ...]

    def __len__(self) -> int:
        return len(self.codes)

    @cached_property
    def _first_ref(self) -> array[int]:
        """Where in `refs` the operands of each node begin, and at the end, where they end."""
        return array("i", self._count_refs())

    def _count_refs(self) -> Iterator[int]:
        return accumulate(self.codes.translate(_ARITIES), initial=0)

    @cached_property
    def events(self) -> int:
        """How many nodes there are whose making is an event: all but constants."""
        return len(self.codes) - self.codes.count(CONSTANT.code)

    @cached_property
    def _moves(self) -> Sequence[int]:
        return [offset for offset, _ in self.places]

    @cached_property
    def created(self) -> array[int]:
        """The offsets of the nodes whose making is an event.

        A constant is none: it comes with the operation that uses it.
        """
        return array("q", (i for i, code in enumerate(self.codes) if code != CONSTANT.code))

    @cached_property
    def outer(self) -> tuple[int, ...]:
        """The indices of the operands that stand in earlier blocks, each once."""
        return tuple(~ref for ref in dict.fromkeys(self.refs) if ref < 0)

    @cached_property
    def inputs(self) -> list[int]:
        """The refs of what everything is computed from.

        Those are the nodes of earlier blocks that are used, then leaves and constants.
        """
        earlier = sorted({ref for ref in self.refs if ref < 0})
        return earlier + [i for i, code in enumerate(self.codes) if not OPS[code].partials]

    @cached_property
    def users(self) -> Mapping[int, Sequence[int]]:
        """For each ref that is used, the offsets of the nodes that it is an operand of."""
        users: dict[int, list[int]] = {}
        for ref, offset in dict.fromkeys(zip(self.refs, self.owners, strict=True)):
            users.setdefault(ref, []).append(offset)
        return users

    @cached_property
    def owners(self) -> array[int]:
        """For each of the refs, the offset of the node that it is an operand of."""
        counts = (len(OPS[code].partials) for code in self.codes)
        return array("q", chain.from_iterable(map(repeat, range(len(self)), counts)))

    @property
    def slots(self) -> Iterator[int]:
        """For each of the refs, which operand of its node it is."""
        return chain.from_iterable(range(len(OPS[code].partials)) for code in self.codes)

    def op(self, offset: int) -> Op:
        """Return the operation of a node."""
        return OPS[self.codes[offset]]

    def reached(self, root: int) -> tuple[Counter[int], Sequence[int]]:
        """Return the refs that `root` depends on, and those it does not.

        Of the former, how many edges lead to each is counted; to the root leads one more. Mostly
        those are nearly all, so what is looked for are the others, from those that nobody uses on.
        """
        reached = Counter(self.refs)
        reached[root] += 1
        idle = [offset for offset in range(len(self)) if offset not in reached]
        # Not `operands`: what that keeps for readers is half of the structure's size again.
        first_ref = [*self._count_refs()] if idle else []
        for node in idle:
            for ref in self.refs[first_ref[node] : first_ref[node + 1]] if node >= 0 else ():
                reached[ref] -= 1
                if not reached[ref]:
                    del reached[ref]
                    idle.append(ref)
        return reached, idle

    def operands(self, offset: int) -> Sequence[int]:
        """Return the refs of a node's operands."""
        return self.refs[self._first_ref[offset] : self._first_ref[offset + 1]]

    def place(self, offset: int) -> Place:
        """Return where a node was made."""
        return self.stay(offset)[1]

    def stay(self, offset: int) -> tuple[int, Place]:
        """Return where a node was made, after the offset up to which all more were made there."""
        moved = bisect_right(self._moves, offset)
        until = self._moves[moved] if moved < len(self._moves) else len(self)
        return until, self.places[moved - 1][1]


@dataclass(frozen=True, eq=False)
class Sweep:
    """A backward pass: the nodes it reaches and the edges it walks, in order.

    Gradients of a pass stand in a column: first the computed nodes, newest first, then the leaves.

    Args:
        refs: the node of each place in the column.
        computed: how many of them are computed nodes.
        outs: for each edge, the column of the node that hands its gradient on.
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
        cls, order: Sequence[Value], leaves: Sequence[Value], ref_of: Callable[[Value], int]
    ) -> Sweep:
        """Describe a sweep over `order` (newest first) that ends in `leaves`."""
        reached = [*order, *leaves]
        column = {node: place for place, node in enumerate(reached)}
        edges = [
            (column[node], slot, column[operand])
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
        """For each node that is reached, how many edges are walked when its gradient is complete.

        In ascending order; the root's, which is seeded, is not among them.
        """
        return sorted(dict(zip(self.receivers, count(1))).values())

    @cached_property
    def outer(self) -> tuple[int, ...]:
        """The indices of the reached nodes that stand in earlier blocks."""
        return tuple(~ref for ref in self.refs if ref < 0)


class OwnSweep(Sweep):
    """A sweep that starts from a computed node of a structure and takes no others but leaves.

    All of it follows from the structure, so it is worked out when somebody looks at it, and a
    program that is being recorded does not wait for it. In its column, computed nodes, leaves of
    the block and leaves of earlier blocks stand in this order, each newest first.
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
        """For each edge, the column of the node that hands its gradient on."""
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

    Where lines are recorded, `places` tell from which write on they were written at which place.
    """

    kinds: tuple[WriteKind, ...]
    nodes: tuple[int, ...]
    places: tuple[tuple[int, Place], ...] = ()

    def place(self, write: int) -> Place | None:
        """Return where in a program a write stands; None where that is not known."""
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


def leaves_of(order: Iterable[Value]) -> list[Value]:
    """Return the leaves that a sweep over `order` reaches, in the order of the first edge."""
    reached = {
        operand: None
        for node in order
        for operand in node._operands
        if operand._first is None and operand._operation is not CONSTANT
    }
    return list(reached)
