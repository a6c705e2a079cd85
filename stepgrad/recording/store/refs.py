"""The operands of the nodes of a structure, as a file holds them: by how far back they are.

Most structures are small, but that of a PyTorch program has millions of operands. They are computed
on long integers, as columns are packed.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from itertools import chain, islice, repeat

from stepgrad.recording.store.packing import TOGETHER, Damaged, as_array, as_lanes, lanes
from stepgrad.recording.structure import Structure


def _owners(arities: Iterable[int]) -> Iterator[int]:
    """Yield for each operand of each node the offset of the node."""
    return chain.from_iterable(map(repeat, range(1 << 62), arities))


def distances(structure: Structure) -> Iterator[array[int]]:
    """Yield of each operand how far back it is, or `-k` for number `k` from earlier passes."""
    owners = _owners(structure.arities)
    for first in range(0, len(structure.refs), TOGETHER):
        refs = structure.refs[first : first + TOGETHER]
        width = len(refs)
        row, owner = as_lanes(refs), as_lanes(islice(owners, width))
        many = lanes(width)
        found = many.by_sign(row, many.plus(row, many.ones), many.minus(owner, row))
        yield as_array("q", found, width)


def refs_of(arities: Iterable[int], distance: array[int], outer: int) -> array[int]:
    """Return the refs of all nodes, of which `outer` are of earlier passes.

    Raises:
        Damaged: they are of no pass, or come after what is made of them.
    """
    if 1 - min(distance, default=1) > outer:
        raise Damaged("an operand in it is of no pass")
    owners, refs = _owners(arities), array("i")
    for first in range(0, len(distance), TOGETHER):
        here = distance[first : first + TOGETHER]
        width = len(here)
        row, owner = as_lanes(here), as_lanes(islice(owners, width))
        many = lanes(width)
        earlier = many.minus(row, many.ones)
        own = many.minus(owner, row)
        if many.by_sign(earlier, 0, own) & many.high:
            raise Damaged("an operand comes after what is made of it")
        refs += array("i", as_array("q", many.by_sign(earlier, earlier, own), width))
    return refs
