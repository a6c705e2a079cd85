"""The log is a list of blocks: runs of events of one kind, each a shared shape and a column.

`start` is the position of a block's first event, `length` how many events it holds; `focus` is the
node that an event is about, without deriving it. Blocks do not change. They are not frozen because
making a frozen object takes three times as long, and a training step makes five.
"""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import add
from typing import TYPE_CHECKING, ClassVar

from stepgrad.engine.ops import LEAF, Op
from stepgrad.engine.tape import Place, Rule
from stepgrad.printable import printable
from stepgrad.recording.structure import Context, Structure
from stepgrad.recording.sweep import Sweep
from stepgrad.recording.writes import Writes

if TYPE_CHECKING:
    from stepgrad.recording.events import Phase

Column = Sequence[float]
"""An array from the recorder; or one from a file, which is unpacked when it is looked at."""

NOWHERE = Context({}, ((0, Place()),))
"""The context of nodes without a name, made at no place that is known."""


@dataclass(slots=True, eq=False)
class Forward:
    """Nodes were made: the first has index `base`, and `values` holds one number for each.

    In forward mode, so does `tangents`. `earlier` are the passes that the structure numbers,
    newest first. `stored` holds the local derivatives of nodes of the program's own operations: one
    for each operand of each of them, in order.
    """

    start: int
    structure: Structure
    base: int
    values: Column
    tangents: Column | None = None
    earlier: tuple[Forward, ...] = ()
    context: Context = NOWHERE
    stored: Column = ()

    phase: ClassVar[Phase] = "forward"

    @property
    def length(self) -> int:
        """One event for each node that is no constant."""
        return self.structure.events

    @property
    def end(self) -> int:
        """The index after that of the last node."""
        return self.base + len(self.structure)

    def locals(self, offset: int) -> Sequence[float]:
        """The local derivatives that a node of an operation of the program's own stores."""
        begin = self.structure.stored_at[offset]
        return self.stored[begin : begin + len(self.structure.own_nodes[offset].partials)]

    def op(self, offset: int) -> Op:
        """The operation of a node, with the local derivatives that it stores."""
        op = self.structure.op(offset)
        return op.holding(self.locals(offset)) if op.stored else op

    def focus(self, offset: int) -> int:
        """The node that is made."""
        return self.base + self.structure.created[offset]

    def made_at(self, node: int) -> int:
        """The position just after one of its nodes came to be."""
        # A constant has no event: it appears with the node made next.
        return self.start + bisect_left(self.structure.created, node - self.base) + 1

    def made(self, ref: int) -> tuple[Forward, int]:
        """The pass that made the node that a ref names, and the node's offset there."""
        if ref >= 0:
            return self, ref
        structure = self.structure
        return self.earlier[structure.outer_passes[~ref]], structure.outer_offsets[~ref]

    def node(self, ref: int) -> int:
        """The index of the node that a ref names."""
        made, offset = self.made(ref)
        return made.base + offset

    def nodes(self, refs: Iterable[int]) -> list[int]:
        """The indices of the nodes that refs name."""
        structure, base, earlier = self.structure, self.base, self.earlier
        passes, offsets = structure.outer_passes, structure.outer_offsets
        return [
            base + ref if ref >= 0 else earlier[passes[~ref]].base + offsets[~ref] for ref in refs
        ]

    @property
    def outer(self) -> list[int]:
        """The nodes of earlier passes that are used, newest first."""
        bases = [each.base for each in self.earlier]
        structure = self.structure
        return [*map(add, map(bases.__getitem__, structure.outer_passes), structure.outer_offsets)]

    def ref(self, node: int) -> int | None:
        """The ref that names a node; None if the pass neither makes it nor uses it."""
        if node >= self.base:
            return node - self.base if node < self.end else None
        number = _number(self.earlier, node)
        if number is None:
            return None
        return self.structure.used.get((number, node - self.earlier[number].base))

    def users(self, node: int) -> Sequence[int]:
        """The offsets of the nodes of this pass that a node is an operand of."""
        ref = self.ref(node)
        return () if ref is None else self.structure.users.get(ref, ())

    @property
    def seeds(self) -> dict[int, float]:
        """The leaves that forward mode starts from, with their tangents; empty in reverse mode."""
        if self.tangents is None:
            return {}
        leaves = (place for place in self.structure.created if self.structure.op(place) is LEAF)
        found = {self.base + leaf: self.tangents[leaf] for leaf in leaves}
        return {node: tangent for node, tangent in found.items() if tangent}


@dataclass(slots=True, eq=False)
class Backward:
    """Gradients were computed: `grads` holds the final one for each entry of the sweep's column.

    `over` are the forward passes that the sweep numbers, newest first.
    """

    start: int
    sweep: Sweep
    over: tuple[Forward, ...]
    grads: Column

    phase: ClassVar[Phase] = "backward"

    @property
    def length(self) -> int:
        """The seed, and one event for each edge."""
        return 1 + self.sweep.edges

    @property
    def forward(self) -> Forward:
        """The forward pass that has made the root."""
        return self.over[self.sweep.begins]

    @property
    def root(self) -> int:
        """The node that the pass starts from."""
        return self.forward.base + self.sweep.root

    def focus(self, offset: int) -> int:
        """The node that is seeded, or given a contribution."""
        return self.root if offset == 0 else self.node(self.sweep.receivers[offset - 1])

    def edge(self, number: int) -> tuple[int, int]:
        """The node whose gradient an edge (from 0) passes on, and which operand receives it."""
        return self.node(self.sweep.outs[number]), self.sweep.slots[number]

    def arrival(self, number: int) -> int:
        """The position just after the contribution over an edge."""
        return self.start + number + 2  # the seed comes first

    def node(self, column: int) -> int:
        """The node of an entry of the column."""
        return self.over[self.sweep.passes[column]].base + self.sweep.offsets[column]

    @property
    def nodes(self) -> list[int]:
        """The nodes of all entries of the column."""
        return [
            self.over[number].base + offset
            for number, offsets in self.sweep.stretches
            for offset in offsets
        ]

    @property
    def outer(self) -> list[int]:
        """The nodes of earlier forward passes that it reaches."""
        return [
            self.over[number].base + offset
            for number, offsets in self.sweep.stretches
            if number
            for offset in offsets
        ]

    def column(self, node: int) -> int | None:
        """Which entry of the column a node has; None if the pass does not reach it."""
        for number, forward in enumerate(self.over) if len(self.over) < _MANY else ():
            if forward.base <= node:
                return self.sweep.columns[number].get(node - forward.base)
        found = _number(self.over, node)
        return (
            None if found is None else self.sweep.columns[found].get(node - self.over[found].base)
        )

    def columns(self, nodes: Sequence[int]) -> list[int | None]:
        """Which entries of the column many nodes have."""
        own, base = self.sweep.columns[0], self.over[0].base
        found = [own.get(node - base) for node in nodes]
        if len(self.over) == 1:
            return found
        return [
            self.column(node) if place is None and node < base else place
            for node, place in zip(nodes, found, strict=True)
        ]


@dataclass(slots=True, eq=False)
class Write:
    """Values or gradients were written; `after` holds the new numbers."""

    start: int
    writes: Writes
    after: Column
    rule: Rule | None

    @property
    def phase(self) -> Phase:
        """`update` where a value is written; else `set` where a gradient is not just cleared."""
        return next(phase for phase in ("update", "set", "zero") if phase in self.writes.kinds)

    @property
    def length(self) -> int:
        """One event for each write."""
        return len(self.after)

    def focus(self, offset: int) -> int:
        """The node that is written."""
        return self.writes.nodes[offset]

    def place(self, offset: int) -> Place | None:
        """The line that made a write; None where that is not known."""
        return self.writes.place(offset)


@dataclass(slots=True, eq=False)
class Marked:
    """Something begins: a training step, a sample."""

    start: int
    kind: str
    number: int | None

    phase: ClassVar[Phase] = "mark"
    length: ClassVar[int] = 1

    def __post_init__(self) -> None:
        self.kind = printable(self.kind)

    def focus(self, offset: int) -> None:
        """None: a mark is not about a node."""


Block = Forward | Backward | Write | Marked

_MANY = 8  # passes, among which it takes shorter to bisect than to go through them


def packed(numbers: Sequence[float]) -> array[float]:
    """Pack numbers in a column, three times as fast as `array("d", numbers)`."""
    return array("d", struct.pack(f"{len(numbers)}d", *numbers))


def _number(passes: Sequence[Forward], node: int) -> int | None:
    """Return which of some forward passes, newest first, may have made a node."""
    number = bisect_left(passes, -node, key=lambda forward: -forward.base)
    return number if number < len(passes) else None
