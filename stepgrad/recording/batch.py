"""Values that wait to become a block (`Batch`)."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from stepgrad.engine.node import Node
from stepgrad.engine.tape import Place


class Batch(NamedTuple):
    """Values that will form a forward block, in the order in which they were made.

    Args:
        nodes: the Values.
        row: the stamp of the first one, if they were made right after each other, in this order.
            They were not if they were unlogged, or another thread or recording made some meanwhile.
        names: the labels of Values, by offset.
        moves: from which offset on they were made at which place.
        tangents: in forward mode, that of each.
    """

    nodes: Sequence[Node]
    row: int | None
    names: tuple[tuple[int, str], ...]
    moves: tuple[tuple[int, Place], ...]
    tangents: array[float] | None = None

    def part(self, first: int, last: int) -> Batch:
        """Return the nodes from `first` up to, not including, `last`."""
        *_, begun = (place for offset, place in self.moves if offset <= first)
        inside = ((at - first, place) for at, place in self.moves if first < at < last)
        names = ((at - first, name) for at, name in self.names if first <= at < last)
        tangents = None if self.tangents is None else self.tangents[first:last]
        nodes = self.nodes[first:last]
        return Batch(nodes, first_of_row(nodes), (*names,), ((0, begun), *inside), tangents)


def first_of_row(nodes: Sequence[Node]) -> int | None:
    """Return the stamp of the first node, if the others were made right after it, in this order."""
    stamps = [node._stamp for node in nodes]
    without_gap = stamps[-1] - stamps[0] + 1 == len(stamps)
    return stamps[0] if without_gap and stamps == sorted(stamps) else None


def offsets(values: Iterable[Node], nodes: Sequence[Node], row: int | None) -> list[int | None]:
    """Return where among `nodes` these values are; None for one that is not there."""
    if row is not None:
        places = (value._stamp - row for value in values)
        return [place if 0 <= place < len(nodes) else None for place in places]
    own = {node._stamp: offset for offset, node in enumerate(nodes)}
    return [own.get(value._stamp) for value in values]
