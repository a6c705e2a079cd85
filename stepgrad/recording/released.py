"""Where the program has let go of all that was computed so far: the ends of evaluations.

A program that measures a network on many rows makes a graph for each, reads its result, and runs no
backward pass. Kept until the next one, these graphs would be a single forward pass, larger than any
cache of memory, and never the same again. Each by itself is small, and like the others.

What the program does not refer to can take part in nothing that comes later. So where a forward
pass is divided depends on the program alone, not on when that is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from sys import getrefcount

from stepgrad.engine.node import Node
from stepgrad.recording.batch import first_of_row
from stepgrad.recording.kept import Recent

MANY = 1 << 13
"""From this many pending nodes on, dividing them costs less than it saves."""

_LEAST = 1 << 10  # nodes in a part: where no two are alike, each costs a description
_ALONE = next(map(getrefcount, [object()]))  # references to what only a list refers to


class Released:
    """Finds parts of pending nodes that the program has let go of.

    Args:
        references: how many references to each node are ours, besides that of the list.
    """

    def __init__(self, references: int) -> None:
        self._alone = _ALONE + references
        self._latest: list[int] = []  # the counts of references of the latest part
        self._undivided = Recent[list[int]](4)  # those of what had no part: steps of training

    def ends(self, nodes: Sequence[Node]) -> Iterator[int]:
        """Yield where parts end, if all nodes are a row (see `Batch`).

        No later node has an operand in a part that is computed.
        """
        counts = [*map(getrefcount, nodes)]
        # The result of an evaluation has no user: most passes are left alone after this look.
        if self._alone not in counts or first_of_row(nodes) is None:
            return
        begin = 0
        while begin < len(nodes):
            end = begin + len(self._latest)
            if begin == end or counts[begin:end] != self._latest:
                rest = counts[begin:]
                end = 0 if rest in self._undivided else self._end(nodes, counts, begin)
                if end <= begin:
                    self._undivided.put(rest)
                    return
                self._latest = counts[begin:end]
            yield end
            begin = end

    def _end(self, nodes: Sequence[Node], counts: Sequence[int], begin: int) -> int:
        """Find the end of the part that begins here; 0 if it has none."""
        first, held = nodes[begin]._stamp, 0  # references to computed nodes from outside the part
        for offset in range(begin, len(nodes)):
            node = nodes[offset]
            one, other = node._first, node._second
            if one is not None:
                held += counts[offset] - self._alone
                if one._stamp >= first and one._first is not None:
                    held -= 1
                if other is not None and other._stamp >= first and other._first is not None:
                    held -= 1
                if not held and offset - begin >= _LEAST:
                    return offset + 1
        return 0
