"""Which Values are in the log, and where (`Known`)."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from operator import is_

from stepgrad.engine.node import Node
from stepgrad.recording.batch import Batch
from stepgrad.recording.kept import Bounded

_MANY = 64
"""Above this many Values, checking how classes compare costs less than a loop in Python."""


class Known(Bounded[int, int]):
    """Where in the log a Value is: its index, by stamp. Values that are not logged are missing.

    Passes are known as rows of Values that were made one after the other. The index of a single one
    is worked out, and kept for a while, when it is asked for.
    """

    def __init__(self) -> None:
        super().__init__(1 << 16)
        self._firsts = array("q")  # of each row: the stamp of its first Value, and its index
        self._bases = array("q")
        self._counts = array("q")
        self._others: dict[int, int] = {}
        self._irregular: set[int] = set()  # the bases of passes that are not rows

    def __missing__(self, stamp: int) -> int:
        row = bisect_right(self._firsts, stamp) - 1
        place = stamp - self._firsts[row] if row >= 0 else -1
        in_row = 0 <= place < self._counts[row]
        index = self._bases[row] + place if in_row else self._others[stamp]
        self[stamp] = index
        return index

    def of_all(self, stamps: Iterable[int]) -> dict[int, int]:
        """Return the indices of many Values, by stamp, in the order in which they were made.

        Raises:
            KeyError: one of them is not in the log.
        """
        found = dict[int, int]()
        ordered = sorted(stamps)
        at = 0
        while at < len(ordered):
            row = bisect_right(self._firsts, ordered[at]) - 1
            until = self._firsts[row] + self._counts[row] if row >= 0 else 0
            end = bisect_left(ordered, until, at)
            if end == at:
                found[ordered[at]] = self._others[ordered[at]]
                at += 1
            else:
                of_row = ordered[at:end]
                moved = self._bases[row] - self._firsts[row]
                found.update(zip(of_row, map(moved.__add__, of_row), strict=True))
                at = end
        return found

    def index(self, value: Node) -> int:
        """Return a Value's index in the recording.

        Raises:
            KeyError: the value is not in the log.
        """
        return self[value._stamp]

    def has(self, value: Node) -> bool:
        """Whether a Value is in the log."""
        try:
            return self[value._stamp] >= 0
        except KeyError:
            return False

    def add(self, batch: Batch, base: int) -> None:
        """Add nodes, from index `base` on."""
        nodes, row = batch.nodes, batch.row
        if row is not None and (not self._firsts or self._firsts[-1] < row):
            self._firsts.append(row)
            self._bases.append(base)
            self._counts.append(len(nodes))
        else:
            self._others.update((node._stamp, base + i) for i, node in enumerate(nodes))
            self._irregular.add(base)

    def in_order(self, bases: Iterable[int]) -> bool:
        """Whether what comes later in these passes, and in the log, was made later.

        Rows are in the order of stamps, which is also that of indices.
        """
        return self._irregular.isdisjoint(bases)

    def unlogged(self, values: Iterable[Node], pending: Sequence[Node]) -> list[Node]:
        """Return those that are not in the log, with all they were made from, oldest first.

        Values in `pending` count as logged: they are about to be.
        """
        found = {value._stamp for value in pending}
        new: list[Node] = []
        stack = list(values)
        while stack:
            value = stack.pop()
            if value._stamp not in found and not self.has(value):
                found.add(value._stamp)
                new.append(value)
                stack.extend(value._operands)
        return sorted(new, key=lambda value: value._stamp)


def same_values(some: Sequence[Node | None], others: Sequence[Node | None]) -> bool:
    """Whether they are the same Values, one for one, whatever `==` means for them."""
    if some is others:  # the tuple of an optimizer
        return True
    if len(some) > _MANY and _compares_by_identity(Node):
        return some == others  # one loop in C
    return len(some) == len(others) and all(map(is_, some, others))


def _compares_by_identity(kind: type[Node]) -> bool:
    """Whether `==` compares Values of a class by identity; a subclass may define it differently."""
    return kind.__eq__ is object.__eq__ and all(map(_compares_by_identity, kind.__subclasses__()))
