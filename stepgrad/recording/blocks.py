"""The log is a list of blocks: runs of events of one kind, each a shared shape and a column.

`start` is the position of a block's first event, `length` how many events it holds; `focus` says
which node an event is about, without deriving it. Nobody changes a block; they are not frozen
because making a frozen object takes three times as long, and a training step makes five.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from stepgrad.engine.ops import LEAF
from stepgrad.engine.tape import Rule
from stepgrad.printable import printable
from stepgrad.recording.structure import Structure, ref_to_index
from stepgrad.recording.sweep import Sweep, Writes

if TYPE_CHECKING:
    from stepgrad.recording.events import Phase

Column = Sequence[float]
"""An array that the recorder packed; or, from a file, one that is unpacked when it is looked at."""


@dataclass(slots=True, eq=False)
class Forward:
    """Nodes were made: the first has index `base`, and `values` holds one number for each.

    In forward mode, so does `tangents`.
    """

    start: int
    structure: Structure
    base: int
    values: Column
    tangents: Column | None = None

    phase: ClassVar[Phase] = "forward"

    @property
    def length(self) -> int:
        """One event for each node that is no constant."""
        return self.structure.events

    def focus(self, offset: int) -> int:
        """The node that is made."""
        return self.base + self.structure.created[offset]

    @property
    def seeds(self) -> dict[int, float]:
        """The leaves that forward mode goes by, each with its tangent; empty in reverse mode."""
        if self.tangents is None:
            return {}
        leaves = (place for place in self.structure.created if self.structure.op(place) is LEAF)
        found = {self.base + leaf: self.tangents[leaf] for leaf in leaves}
        return {node: tangent for node, tangent in found.items() if tangent}


@dataclass(slots=True, eq=False)
class Backward:
    """Gradients were computed: `grads` holds the final one for each place of the sweep's column.

    `root` is an index; refs in the sweep count from `base`.
    """

    start: int
    sweep: Sweep
    root: int
    base: int
    grads: Column

    phase: ClassVar[Phase] = "backward"

    @property
    def length(self) -> int:
        """The seed, and one event for each edge."""
        return 1 + self.sweep.edges

    def focus(self, offset: int) -> int:
        """The node that is seeded, or given a contribution."""
        if offset == 0:
            return self.root
        return ref_to_index(self.sweep.refs[self.sweep.receivers[offset - 1]], self.base)

    def edge(self, number: int) -> tuple[int, int]:
        """The node that hands its gradient on at an edge (from 0), and which operand gets it."""
        sweep = self.sweep
        return ref_to_index(sweep.refs[sweep.outs[number]], self.base), sweep.slots[number]


@dataclass(slots=True, eq=False)
class Write:
    """Values or gradients were written; `after` holds what came to stand there."""

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
        """A mark is about no node."""


Block = Forward | Backward | Write | Marked
