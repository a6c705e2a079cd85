"""What a run of writes is: which values and gradients, by which rule (`Writes`); no numbers."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter

from stepgrad.engine.tape import Place, Rule, WriteKind


@dataclass(frozen=True, eq=False)
class Writes:
    """Values and gradients written one after the other.

    Args:
        kinds: what kind of write each is.
        nodes: the index of the node.
        places: where lines are recorded, from which write on they were made at which place.
        method: the rule that an optimizer follows; None where a program writes by hand.
        numbers: the names of the numbers that the rule has for all writes.
        columns: the names of those that it has for each.
    """

    kinds: tuple[WriteKind, ...]
    nodes: tuple[int, ...]
    places: tuple[tuple[int, Place], ...] = ()
    method: str | None = None
    numbers: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """How many numbers there are in all: first what is written, then those of the rule."""
        return len(self.nodes) * (1 + len(self.columns)) + len(self.numbers)

    def flat(self, after: Sequence[float], rule: Rule | None) -> array[float]:
        """Return all numbers of such writes in one column."""
        flat = array("d", after[:])
        if rule is not None:
            flat.extend(rule.numbers.values())
            for column in rule.columns.values():
                flat.extend(column)
        return flat

    def place(self, write: int) -> Place | None:
        """Return which line made a write; None where that is not known."""
        at = bisect_right(self.places, write, key=itemgetter(0)) - 1
        return self.places[at][1] if at >= 0 else None

    @cached_property
    def gradients(self) -> dict[int, list[int]]:
        """For each node whose gradient is written, which of the writes do that."""
        return self._by_node(lambda kind: kind != "update")

    @cached_property
    def updates(self) -> dict[int, list[int]]:
        """For each node whose value is written, which of the writes do that."""
        return self._by_node(lambda kind: kind == "update")

    def _by_node(self, wanted: Callable[[WriteKind], bool]) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for write, (kind, node) in enumerate(zip(self.kinds, self.nodes, strict=True)):
            if wanted(kind):
                found.setdefault(node, []).append(write)
        return found
