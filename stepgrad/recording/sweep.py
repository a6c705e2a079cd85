"""What a backward pass is: which nodes it reaches, over which edges (`Sweep`); no numbers."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, compress, count, groupby, repeat
from operator import add, itemgetter

from stepgrad.engine.ops import CONSTANT, LEAF, Op
from stepgrad.recording.structure import Structure

Stretch = tuple[int, Sequence[int]]
"""Nodes of one forward pass: its number, and their offsets in it."""


@dataclass(frozen=True, eq=False)
class Sweep:
    """A backward pass: the nodes it reaches and the edges it walks, in order.

    It goes over one or more forward passes, which are numbered, the newest first; which ones they
    are, each backward pass names (`blocks.Backward`). The gradients of all nodes form a
    column: first those of computed nodes, then those of leaves, each newest first. All of that
    follows from the structures, so it is worked out when it is first looked at, and does not slow
    down the program that is being recorded.

    Args:
        structures: that of each forward pass.
        links: for each forward pass, which numbers the earlier ones have that it uses; -1 where
            none of their nodes is reached. None where only leaves of it are reached.
        root: the offset in pass 0 of the node that the pass starts from.
        edges: how many edges the pass walks.
        order: the computed nodes, where those of several passes alternate.
        begins: the number of the forward pass that has made the root.
    """

    structures: tuple[Structure, ...]
    links: tuple[tuple[int, ...] | None, ...]
    root: int
    edges: int
    order: tuple[Stretch, ...] | None = None
    begins: int = 0

    @classmethod
    def walked(
        cls, structures: tuple[Structure, ...], links: tuple[tuple[int, ...] | None, ...], root: int
    ) -> Sweep:
        """Make a sweep of which only the way is known, and work out at once what it reaches.

        Raises:
            ValueError: it leads to a node that does not exist.
        """
        parts = [*walk(structures, links, root)]
        sweep = cls(structures, links, root, sum(edges for edges, _, _ in parts))
        vars(sweep)["_taking_part"] = [part for _, *part in parts]
        return sweep

    @property
    def way(self) -> tuple[object, ...]:
        """What tells it from other sweeps over the same structures."""
        return self.links, self.begins, self.root, self.edges, self.order

    @cached_property
    def _taking_part(self) -> Sequence[Sequence[Sequence[int]]]:
        """For each forward pass, its computed nodes and its leaves that take part, newest first."""
        return [part for _, *part in walk(self.structures, self.links, self.root)]

    @cached_property
    def computed_nodes(self) -> Sequence[Stretch]:
        """The computed nodes that take part, in the order in which they pass gradients on."""
        if self.order is not None:
            return self.order
        return [(n, computed) for n, (computed, _) in enumerate(self._taking_part) if computed]

    @cached_property
    def stretches(self) -> Sequence[Stretch]:
        """The nodes of the column."""
        if not self.computed:  # a root may be a constant, too
            return [(self.begins, [self.root])]
        leaves = [(n, leaves) for n, (_, leaves) in enumerate(self._taking_part) if leaves]
        return [*self.computed_nodes, *leaves]

    @cached_property
    def swept(self) -> Sequence[int]:
        """The numbers of the forward passes of which computed nodes take part."""
        return sorted({number for number, _ in self.computed_nodes})

    @cached_property
    def computed(self) -> int:
        """How many nodes of the column are computed."""
        return sum(len(offsets) for _, offsets in self.computed_nodes)

    @cached_property
    def width(self) -> int:
        """How many nodes the column has."""
        return sum(len(offsets) for _, offsets in self.stretches)

    @cached_property
    def passes(self) -> array[int]:
        """For each entry of the column, the number of the forward pass that its node is of."""
        lengths = ((number, len(offsets)) for number, offsets in self.stretches)
        return array("i", chain.from_iterable(repeat(*each) for each in lengths))

    @cached_property
    def offsets(self) -> array[int]:
        """For each entry of the column, the offset of its node in that pass."""
        return array("i", chain.from_iterable(offsets for _, offsets in self.stretches))

    @cached_property
    def columns(self) -> Sequence[Mapping[int, int]]:
        """For each forward pass, the entries that its nodes have in the column, by offset."""
        columns: list[dict[int, int]] = [{} for _ in self.structures]
        entry = 0
        for number, offsets in self.stretches:
            columns[number].update(zip(offsets, count(entry)))
            entry += len(offsets)
        return columns

    @cached_property
    def codes(self) -> bytes:
        """For each computed node of the column, the code of its operation."""
        return b"".join(
            bytes(map(self.structures[number].codes.__getitem__, offsets))
            for number, offsets in self.computed_nodes
        )

    def op(self, entry: int) -> Op:
        """Return the operation of a node of the column."""
        return self.structures[self.passes[entry]].op(self.offsets[entry])

    def operands(self, entry: int) -> list[tuple[int, int]]:
        """Return the operands of a computed node: for each, the pass and the offset in it."""
        return self._operands(self.passes[entry], self.offsets[entry])

    def _operands(self, number: int, offset: int) -> list[tuple[int, int]]:
        structure, links = self.structures[number], self.links[number] or ()
        found = []
        for ref in structure.operands(offset):
            earlier, at = (-1, ref) if ref >= 0 else structure.outer[~ref]
            found.append((number if ref >= 0 else links[earlier], at))
        return found

    @cached_property
    def _walk(self) -> tuple[array[int], Sequence[int], array[int]]:
        """The edges: `outs`, `slots` and `receivers`."""
        outs, slots, receivers, entry = array("q"), array("i"), array("q"), 0
        for number, offsets in self.computed_nodes:
            structure = self.structures[number]
            arities = [*map(structure.arities.__getitem__, offsets)]
            begins = [*map(structure.first_ref.__getitem__, offsets)]
            ends = [*map(self._entries(number).__getitem__, structure.refs)]
            operands = map(slice, begins, map(add, begins, arities))
            to = [*chain.from_iterable(map(ends.__getitem__, operands))]
            from_ = chain.from_iterable(map(repeat, count(entry), arities))
            which = chain.from_iterable(map(range, arities))
            taken = [receiver >= 0 for receiver in to]  # a constant takes nothing
            outs.extend(compress(from_, taken))
            slots.extend(compress(which, taken))
            receivers.extend(compress(to, taken))
            entry += len(offsets)
        return outs, slots, receivers

    def _entries(self, number: int) -> list[int]:
        """Return which entry of the column each ref of a pass has; -1 for none."""
        structure, links = self.structures[number], self.links[number] or ()
        own = [*map(self.columns[number].get, range(len(structure)), repeat(-1))]
        outer = (
            self.columns[links[earlier]].get(offset, -1) if links[earlier] >= 0 else -1
            for earlier, offset in zip(
                reversed(structure.outer_passes), reversed(structure.outer_offsets), strict=True
            )
        )
        return [*own, *outer]  # `~k` counts from the end

    @cached_property
    def outs(self) -> array[int]:
        """For each edge, the column of the node whose gradient it passes on."""
        return self._walk[0]

    @cached_property
    def slots(self) -> Sequence[int]:
        """For each edge, which operand of that node receives."""
        return self._walk[1]

    @cached_property
    def receivers(self) -> array[int]:
        """For each edge, the column of that operand."""
        return self._walk[2]

    @property
    def start(self) -> int:
        """The entry of the root."""
        return 0

    @property
    def lasting(self) -> int:
        """The first entry of the column whose gradient adds to what earlier passes have left."""
        return self.computed

    @property
    def unwritten(self) -> Collection[int]:
        """The entries of the column whose gradients are read, and not written."""
        return ()

    def begins_at(self, entry: int) -> bool:
        """Whether the seed writes a gradient: that of the root, or one that it clears."""
        return entry < self.computed or not self.incoming[entry]

    @cached_property
    def incoming(self) -> Sequence[Sequence[int]]:
        """For each entry of the column, the edges that end there, in order."""
        edges: list[list[int]] = [[] for _ in range(self.width)]
        for edge, receiver in enumerate(self.receivers):
            edges[receiver].append(edge)
        return edges

    def first_edge(self, ends: Sequence[tuple[int, int]]) -> int | None:
        """Return the first edge from one of some entries in a slot; of one, slots are in order."""
        if not ends:
            return None
        entry, slot = min(ends, key=itemgetter(0))
        first = bisect_left(self.outs, entry)
        walked = range(first, bisect_right(self.outs, entry, first))
        return next((edge for edge in walked if self.slots[edge] == slot), None)

    @cached_property
    def completions(self) -> list[int]:
        """For each node, how many edges are walked by the time its gradient is complete.

        In ascending order, and without the root, which is seeded.
        """
        return sorted(dict(zip(self.receivers, count(1))).values())

    def may_reach(self, number: int, offset: int) -> bool:
        """Whether a node of a forward pass may take part; asked before all is worked out."""
        if "columns" in vars(self):
            return offset in self.columns[number]
        if self.links[number] is not None:  # it may be reached from a node of the same pass
            return True
        return any(
            (links.index(number), offset) in structure.used
            for structure, links in zip(self.structures, self.links, strict=True)
            if links is not None and number in links
        )


def walk(
    structures: Sequence[Structure], links: Sequence[Sequence[int] | None], root: int
) -> Iterator[tuple[int, Sequence[int], Sequence[int]]]:
    """Yield how many edges a sweep walks from each forward pass, its computed nodes and leaves.

    Raises:
        ValueError: it leads to a node that does not exist.
    """
    entries: list[set[int]] = [{root}, *(set() for _ in structures[1:])]
    for number, (structure, linked) in enumerate(zip(structures, links, strict=True)):
        newest_first = sorted(entries[number], reverse=True)
        if not newest_first or newest_first[0] >= len(structure):
            raise ValueError("a backward pass reaches a node that does not exist")
        if linked is None and not any(structure.op(at).partials for at in newest_first):
            yield 0, [], [at for at in newest_first if structure.op(at) is LEAF]
            continue
        if (
            linked is None
            or len(linked) != len(structure.firsts)
            or max(linked, default=-1) >= len(structures)
        ):
            raise ValueError("a backward pass goes over passes that it does not know")
        edges, idle, outer = structure.reach(newest_first)
        for used, earlier, offset in outer:
            to = linked[earlier]
            if to <= number or offset >= len(structures[to]):
                raise ValueError("a backward pass reaches a node that does not exist")
            entries[to].add(offset)
            if structures[to].op(offset) is CONSTANT:
                edges -= used
        offsets = range(len(structure) - 1, -1, -1)
        computed, leaves = structure.taking_part(idle)
        yield edges, [*compress(offsets, computed[::-1])], [*compress(offsets, leaves[::-1])]


def newest_first(stretches: Sequence[Stretch]) -> bool:
    """Whether nodes are in the usual order of a column, where it need not be kept."""
    numbers = [number for number, _ in stretches]
    return numbers == sorted({*numbers}) and all(
        [*offsets] == sorted(offsets, reverse=True) for _, offsets in stretches
    )


def stretched(nodes: Iterable[tuple[int, int]]) -> tuple[Stretch, ...]:
    """Divide nodes, each a pass and an offset, into stretches of one pass."""
    stretches = groupby(nodes, itemgetter(0))
    return tuple([(number, tuple(map(itemgetter(1), each))) for number, each in stretches])
