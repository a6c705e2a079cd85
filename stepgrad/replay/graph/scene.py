"""`Scene`: the nodes to look at during a training step, and the edges between them."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import accumulate, compress, count, pairwise, repeat
from typing import overload

from stepgrad.engine.ops import CONSTANT
from stepgrad.recording.blocks import Backward, Block, Forward, Write
from stepgrad.recording.kept import kept
from stepgrad.recording.recording import Recording


class Scene(Sequence[int]):
    """Nodes in the order of creation, all of them made by `forwards`.

    A scene equals nothing but itself, so it can be the key for what is worked out about it.
    """

    def __init__(
        self, recording: Recording, forwards: Sequence[Forward], offsets: Sequence[Sequence[int]]
    ) -> None:
        self.recording = recording
        self._forwards = forwards
        self._offsets = offsets
        self._bases = [block.base for block in forwards]
        self._starts = [*accumulate(map(len, offsets), initial=0)]

    @overload
    def __getitem__(self, place: int) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[int]: ...
    def __getitem__(self, place: int | slice) -> int | Sequence[int]:
        if isinstance(place, slice):
            start, stop, step = place.indices(len(self))
            return [*self._between(start, stop)] if step == 1 else [*self][place]
        if not -len(self) <= place < len(self):
            raise IndexError(f"node {place} of {len(self)}")
        return self._at(place % len(self))

    def _at(self, place: int) -> int:
        which = bisect_right(self._starts, place) - 1
        return self._bases[which] + self._offsets[which][place - self._starts[which]]

    def __len__(self) -> int:
        return self._starts[-1]

    def __iter__(self) -> Iterator[int]:
        return self._between(0, len(self))

    def _between(self, start: int, stop: int) -> Iterator[int]:
        which = bisect_right(self._starts, start) - 1
        while start < stop:
            first, end = self._starts[which], min(stop, self._starts[which + 1])
            offsets = self._offsets[which][start - first : end - first]
            yield from map(self._bases[which].__add__, offsets)
            start, which = end, which + 1

    def __contains__(self, node: object) -> bool:
        return isinstance(node, int) and self.place(node) is not None

    def after(self, node: int) -> int:
        """The place of a node or, if it is not in the scene, of the first one after it."""
        which = bisect_right(self._bases, node) - 1
        if which < 0:
            return 0
        return self._starts[which] + bisect_left(self._offsets[which], node - self._bases[which])

    def nearest(self, node: int | None) -> int:
        """A node itself or, if it is not in the scene, the first one after it, or the last.

        A constant is not part of the scene; it is made right before the node that uses it.
        """
        return self[0 if node is None else min(self.after(node), len(self) - 1)]

    def place(self, node: int) -> int | None:
        """The place of a node, counted from 0; None if it is not in the scene."""
        place = self.after(node)
        return place if place < len(self) and self._at(place) == node else None

    def operands(self, node: int) -> list[int]:
        """The operands of a node that are in the scene."""
        block = self.recording.history.forward_of(node)
        operands = map(block.node, block.structure.operands(node - block.base))
        return [operand for operand in operands if self.place(operand) is not None]

    def consumers(self, node: int) -> list[int]:
        """The nodes of the scene that a node is an operand of."""
        users = (block.base + offset for block in self._forwards for offset in block.users(node))
        return [user for user in users if user in self]

    @cached_property
    def edges(self) -> tuple[Sequence[int], Sequence[int], Sequence[int]]:
        """All edges, in three columns: the place of the node, that of the operand, and its slot.

        The first column is ascending.
        """
        places = dict(zip(self, count()))
        outs, operands, slots = array("q"), array("q"), array("q")
        for block in self._forwards:
            base, structure = block.base, block.structure
            indices = block.nodes(structure.refs)
            nodes = map(base.__add__, structure.owners)
            ends = [list(map(places.get, each, repeat(-1))) for each in (nodes, indices)]
            inside = [out >= 0 <= operand for out, operand in zip(*ends, strict=True)]
            outs.extend(compress(ends[0], inside))
            operands.extend(compress(ends[1], inside))
            slots.extend(compress(structure.slots, inside))
        return outs, operands, slots

    @cached_property
    def scopes(self) -> Sequence[tuple[str, int, int]]:
        """Stretches of nodes in one scope: its name, the first place, and the end (exclusive)."""
        found: list[tuple[str, int, int]] = []
        start = 0
        while start < len(self):
            node = self._at(start)
            block = self.recording.history.forward_of(node)
            offset = node - block.base
            place, until = block.context.stay(offset)
            end = block.end if until is None else block.base + until
            stop = self.after(end)
            if found and found[-1][0] == place.scope:
                found[-1] = place.scope, found[-1][1], stop
            else:
                found.append((place.scope, start, stop))
            start = stop
        return found

    @cached_property
    def forward_mode(self) -> bool:
        """Whether forward mode has made any of the nodes."""
        return any(block.tangents is not None for block in self._forwards)

    @cached_property
    def names(self) -> Sequence[tuple[int, str]]:
        """The nodes that have a name, each with its name."""
        names: dict[int, str] = {}
        for block in self._forwards:
            names |= self.recording.names_in(block)
        return [(node, name) for node, name in names.items() if node in self]


@kept(8)
def scene(recording: Recording, begin: int, end: int, *, constants: bool = False) -> Scene:
    """Return the nodes that are made, used, reached or written between two positions.

    Nodes from before training are included; constants only on request.
    """
    before = recording.steps[0] if recording.steps else 0
    blocks = [*recording.blocks_between(0, min(before, begin))]
    blocks += recording.blocks_between(begin, end)
    made: dict[Forward, Sequence[int]] = {
        block: range(len(block.structure)) if constants else block.structure.created
        for block in blocks
        if isinstance(block, Forward)
    }
    others: dict[Forward, set[int]] = defaultdict(set)
    for block in blocks:
        for other, offsets in _about(recording, block):
            if other not in made:
                others[other].update(offsets)
    for other, found in others.items():
        codes = other.structure.codes
        made[other] = [at for at in sorted(found) if constants or codes[at] != CONSTANT.code]
    forwards = sorted(made, key=lambda block: block.base)
    return Scene(recording, forwards, [made[block] for block in forwards])


def _about(recording: Recording, block: Block) -> Iterator[tuple[Forward, Iterable[int]]]:
    """Yield what a block uses, reaches or writes: passes, each with the offsets of its nodes."""
    match block:
        case Forward(structure=structure):
            bounds = pairwise([*structure.firsts, len(structure.outer_offsets)])
            for earlier, (first, end) in zip(block.earlier, bounds, strict=True):
                yield earlier, structure.outer_offsets[first:end]
        case Backward():
            for number, offsets in block.sweep.stretches:
                yield block.over[number], offsets
        case Write():
            for node in block.writes.nodes:
                made_by = recording.history.forward_of(node)
                yield made_by, [node - made_by.base]
