"""`Scene`: the nodes to look at during a training step, and the edges between them."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import compress, count, repeat
from typing import overload

from stepgrad.engine.ops import CONSTANT
from stepgrad.recording.blocks import Backward, Forward, Write
from stepgrad.recording.kept import kept
from stepgrad.recording.recording import Recording


class Scene(Sequence[int]):
    """Nodes in the order of creation, all of them made by `forwards`.

    A scene equals nothing but itself, so it can be the key for what is worked out about it.
    """

    def __init__(
        self, recording: Recording, nodes: Sequence[int], forwards: Sequence[Forward]
    ) -> None:
        self.recording = recording
        self._nodes = nodes
        self._forwards = forwards

    @overload
    def __getitem__(self, place: int) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[int]: ...
    def __getitem__(self, place: int | slice) -> int | Sequence[int]:
        return self._nodes[place]

    def __len__(self) -> int:
        return len(self._nodes)

    def __contains__(self, node: object) -> bool:
        return isinstance(node, int) and self.place(node) is not None

    def after(self, node: int) -> int:
        """The place of a node or, if it is not in the scene, of the first one after it."""
        return bisect_left(self._nodes, node)

    def nearest(self, node: int | None) -> int:
        """A node itself or, if it is not in the scene, the first one after it, or the last.

        A constant is not part of the scene; it is made right before the node that uses it.
        """
        return self._nodes[0 if node is None else min(self.after(node), len(self) - 1)]

    def place(self, node: int) -> int | None:
        """The place of a node, counted from 0; None if it is not in the scene."""
        place = self.after(node)
        return place if place < len(self) and self._nodes[place] == node else None

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
        places = dict(zip(self._nodes, count()))
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
            block = self.recording.history.forward_of(self._nodes[start])
            offset = self._nodes[start] - block.base
            place, until = block.context.stay(offset)
            end = block.end if until is None else block.base + until
            stop = bisect_left(self._nodes, end, start)
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
    forwards = [block for block in blocks if isinstance(block, Forward)]
    others: set[int] = set()
    for block in blocks:
        match block:
            case Forward():
                others.update(block.outer)
            case Backward():
                others.update(block.outer)
            case Write():
                others.update(block.writes.nodes)
    shown: dict[Forward, Sequence[int]] = {}
    for block, offsets in _divided(recording, sorted(others)):
        codes = block.structure.codes
        if found := [at for at in offsets if constants or codes[at] != CONSTANT.code]:
            shown[block] = found
    for block in forwards:
        shown[block] = range(len(block.structure)) if constants else block.structure.created
    makers = sorted(shown, key=lambda block: block.base)
    nodes: list[int] = []
    for block in makers:
        nodes += map(block.base.__add__, shown[block])
    return Scene(recording, nodes, makers)


def _divided(recording: Recording, nodes: Sequence[int]) -> Iterator[tuple[Forward, Sequence[int]]]:
    """Divide nodes, in order, by the pass that made them: yield each with the offsets there."""
    start = 0
    while start < len(nodes):
        block = recording.history.forward_of(nodes[start])
        stop = bisect_left(nodes, block.end, start)
        yield block, [node - block.base for node in nodes[start:stop]]
        start = stop
