"""What a forward pass is: which nodes, made of which others (`Structure`); no numbers.

Training runs the same program a thousand times, so a structure is stored once. It names an operand
by a *ref*: the operand's offset in the pass where that is 0 or more, and `~k` for number `k` of the
operands that earlier passes have made. Those it names by the pass and the offset there, and the
passes are numbered: each pass names the ones it uses (`blocks.Forward`). So a pass that
uses what was computed just before it, and one that uses a parameter, are like their predecessors.

What the nodes are called, and where they were made, is their `Context`.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, chain, compress, count, repeat
from typing import NamedTuple

from stepgrad.engine.ops import CONSTANT, LEAF, OPS, OWN, Op
from stepgrad.engine.tape import Place
from stepgrad.printable import printable

_ARITIES = bytes(len(op.partials) for op in OPS).ljust(256, b"\0")
"""How many operands an operation has, by code, for `bytes.translate`; 0 for those of `OWN`."""

_IDLE = 255
"""In place of the code of a node that does not take part."""

_CONSTANTS = bytes(code == CONSTANT.code for code in range(256))
_EVENTS = bytes(code != CONSTANT.code for code in range(256))
COMPUTED = bytes(
    code == OWN or (code < len(OPS) and bool(OPS[code].partials)) for code in range(256)
)
LEAVES = bytes(code == LEAF.code for code in range(256))
"""Tables for `bytes.translate`: 1 for the codes of constants, of computed nodes, or of leaves."""


class Reach(NamedTuple):
    """What some nodes of a forward pass depend on.

    Args:
        edges: how many edges lead there; those to constants of the pass do not count.
        idle: the refs of everything else.
        outer: what is reached of earlier passes, newest first: by how many edges, the number of its
            pass, and the offset there.
    """

    edges: int
    idle: Sequence[int]
    outer: Sequence[tuple[int, int, int]]


@dataclass(frozen=True, eq=False)
class Structure:
    """The nodes of a forward pass, in the order in which they were made.

    Args:
        codes: the operation of each node, as its code.
        refs: the operands of all nodes, one after the other.
        outer_passes: of each operand from an earlier pass, newest first: the number of its pass;
            0 is the newest of them.
        outer_offsets: the offset of each there.
        own: the operations of the nodes whose code is `OWN`, in order.
    """

    codes: bytes
    refs: array[int]
    outer_passes: array[int]
    outer_offsets: array[int]
    own: tuple[Op, ...] = ()

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def content(self) -> tuple[object, ...]:
        """Its fields as a key: structures are equal only where they are the same object."""
        numbers = self.refs, self.outer_passes, self.outer_offsets
        return self.codes, *(each.tobytes() for each in numbers), self.own

    def is_like(self, other: Structure) -> bool:
        """Whether another one has the same content."""
        return (
            self.codes == other.codes
            and self.refs == other.refs
            and self.outer_passes == other.outer_passes
            and self.outer_offsets == other.outer_offsets
            and self.own == other.own
        )

    @cached_property
    def outer(self) -> list[tuple[int, int]]:
        """The operands from earlier passes: the number of the pass, and the offset there.

        For readers: this takes far more memory than the two columns.
        """
        return [*zip(self.outer_passes, self.outer_offsets, strict=True)]

    @cached_property
    def own_nodes(self) -> Mapping[int, Op]:
        """The nodes of operations of the program's own, by offset."""
        offsets = (offset for offset, code in enumerate(self.codes) if code == OWN)
        return dict(zip(offsets, self.own, strict=True))

    @property
    def known(self) -> bool:
        """Whether it can be computed again: the functions of all its operations are known."""
        return all(op.known for op in self.own)

    @cached_property
    def stored_at(self) -> Mapping[int, int]:
        """Where in a column of stored local derivatives those of each such node begin."""
        begins = accumulate((len(op.partials) for op in self.own), initial=0)
        return dict(zip(self.own_nodes, begins, strict=False))

    @cached_property
    def stored(self) -> int:
        """How many numbers such a column has."""
        return sum(len(op.partials) for op in self.own)

    @property
    def arities(self) -> Sequence[int]:
        """How many operands each node has."""
        arities: Sequence[int] = self.codes.translate(_ARITIES)
        if self.own:
            arities = [*arities]
            for offset, op in self.own_nodes.items():
                arities[offset] = len(op.partials)
        return arities

    @cached_property
    def first_ref(self) -> array[int]:
        """Where in `refs` the operands of each node begin, and at the end, where they end."""
        return array("i", self._count_refs())

    def _count_refs(self) -> Iterator[int]:
        return accumulate(self.arities, initial=0)

    @cached_property
    def events(self) -> int:
        """How many nodes there are whose making is an event: all but constants."""
        return len(self.codes) - self.codes.count(CONSTANT.code)

    @cached_property
    def created(self) -> array[int]:
        """The offsets of the nodes whose making is an event.

        A constant is none: it comes with the operation that uses it.
        """
        return array("q", compress(range(len(self)), self.codes.translate(_EVENTS)))

    @cached_property
    def inputs(self) -> list[int]:
        """The refs of what everything is computed from.

        Those are the nodes of earlier passes that are used, then leaves and constants.
        """
        own = [i for i, code in enumerate(self.codes) if not COMPUTED[code]]
        return [*range(-len(self.outer_offsets), 0), *own]

    @cached_property
    def used(self) -> Mapping[tuple[int, int], int]:
        """The refs of the operands from earlier passes, by the pass and the offset there."""
        return {place: ~k for k, place in enumerate(self.outer)}

    @cached_property
    def firsts(self) -> Sequence[int]:
        """For each earlier pass, which operand is the first from there: the latest node used."""
        firsts = dict(zip(reversed(self.outer_passes), count(len(self.outer_passes) - 1, -1)))
        return [firsts[number] for number in sorted(firsts)]

    @cached_property
    def users(self) -> Mapping[int, Sequence[int]]:
        """For each ref that is used, the offsets of the nodes that it is an operand of."""
        users: dict[int, list[int]] = {}
        for ref, offset in dict.fromkeys(zip(self.refs, self.owners, strict=True)):
            users.setdefault(ref, []).append(offset)
        return users

    @cached_property
    def owners(self) -> array[int]:
        """For each of the refs, the offset of the node that it is an operand of."""
        return array("q", chain.from_iterable(map(repeat, range(len(self)), self.arities)))

    @property
    def slots(self) -> Iterator[int]:
        """For each of the refs, which operand of its node it is."""
        return chain.from_iterable(map(range, self.arities))

    @property
    def ops(self) -> Iterator[Op]:
        """The operation of each node."""
        return map(self.op, range(len(self)))

    def op(self, offset: int) -> Op:
        """Return the operation of a node."""
        code = self.codes[offset]
        return OPS[code] if code != OWN else self.own_nodes[offset]

    def operands(self, offset: int) -> Sequence[int]:
        """Return the refs of a node's operands."""
        return self.refs[self.first_ref[offset] : self.first_ref[offset + 1]]

    def reach(self, roots: Collection[int]) -> Reach:
        """Return what some nodes depend on, themselves included.

        That is usually nearly everything, so this searches for the rest, from the unused nodes
        back.
        """
        uses = [0] * (len(self) + len(self.outer_offsets))
        for ref in self.refs:
            uses[ref] += 1
        for root in roots:
            uses[root] += 1
        idle = [offset for offset in range(len(self)) if not uses[offset]]
        # Not `first_ref`: what that keeps for readers is half of the structure's size again.
        first_ref = [*self._count_refs()] if idle else []
        for node in idle:
            for ref in self.refs[first_ref[node] : first_ref[node + 1]] if node >= 0 else ():
                uses[ref] -= 1
                if not uses[ref]:
                    idle.append(ref)
        to_constants = sum(compress(uses, self.codes.translate(_CONSTANTS)))
        outer = zip(reversed(uses), self.outer_passes, self.outer_offsets, strict=False)
        edges = sum(uses) - len(roots) - to_constants
        return Reach(edges, idle, [each for each in outer if each[0]])

    def taking_part(self, idle: Iterable[int]) -> tuple[bytes, bytes]:
        """Return which nodes are computed, and which are leaves; none of those that are idle."""
        codes = bytearray(self.codes)
        for ref in idle:
            if ref >= 0:
                codes[ref] = _IDLE
        return bytes(codes.translate(COMPUTED)), bytes(codes.translate(LEAVES))


@dataclass(frozen=True, eq=False)
class Context:
    """What the program calls the nodes of a forward pass, and where it made them.

    Args:
        names: the labels, by offset.
        places: from which offset on nodes were made where.
    """

    names: dict[int, str]
    places: Sequence[tuple[int, Place]]

    @classmethod
    def of(cls, names: Sequence[tuple[int, str]], places: Sequence[tuple[int, Place]]) -> Context:
        """Make a context from the names and places of a program or a file, fit to be shown."""
        if not all(name.isprintable() for _, name in names):
            names = [(offset, printable(name)) for offset, name in names]
        if not all(place.scope.isprintable() for _, place in places):
            places = [(at, replace(here, scope=printable(here.scope))) for at, here in places]
        return cls(dict(names), tuple(places))

    @cached_property
    def _moves(self) -> Sequence[int]:
        return [offset for offset, _ in self.places]

    def place(self, offset: int) -> Place:
        """Return where a node was made."""
        return self.stay(offset)[0]

    def stay(self, offset: int) -> tuple[Place, int | None]:
        """Return where a node was made, and from which offset on others were made elsewhere."""
        moved = bisect_right(self._moves, offset)
        until = self._moves[moved] if moved < len(self._moves) else None
        return self.places[moved - 1][1], until
