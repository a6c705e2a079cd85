"""The shape of a forward pass: which nodes, made of which others; no numbers.

Training runs the same program a thousand times, so its shape is stored once. A shape names a node
by a *ref*: its offset in the block at hand where that is 0 or more, and `~index` for the node
`index` of an earlier block. Two passes of the same shape thus have equal refs.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, chain, repeat

from stepgrad.engine.ops import CONSTANT, OPS, Op
from stepgrad.engine.tape import Place
from stepgrad.printable import printable

_ARITIES = bytes(len(op.partials) for op in OPS).ljust(256, b"\0")
"""By code, for `bytes.translate`."""


def ref_to_index(ref: int, base: int) -> int:
    """Return the index of the node that `ref` names in a block whose first node is `base`."""
    return base + ref if ref >= 0 else ~ref


def index_to_ref(index: int, base: int) -> int:
    """Return the ref that names node `index` in a block whose first node is `base`."""
    return index - base if index >= base else ~index


@dataclass(frozen=True, eq=False)
class Structure:
    """The nodes of a forward block, in the order in which they were made.

    Args:
        codes: the operation of each node, as its code.
        refs: the operands of all nodes, one after the other.
        names: the labels, by offset.
        places: from which offset on nodes were made where.
    """

    codes: bytes
    refs: array[int]
    names: dict[int, str]
    places: tuple[tuple[int, Place], ...]

    def __post_init__(self) -> None:
        """Make names and scopes fit to be shown, be they from a program or a file."""
        for offset, name in [each for each in self.names.items() if not each[1].isprintable()]:
            self.names[offset] = printable(name)
        if not all(place.scope.isprintable() for _, place in self.places):
            shown = ((at, replace(here, scope=printable(here.scope))) for at, here in self.places)
            object.__setattr__(self, "places", tuple(shown))

    def __len__(self) -> int:
        return len(self.codes)

    @cached_property
    def _first_ref(self) -> array[int]:
        """Where in `refs` the operands of each node begin, and at the end, where they end."""
        return array("i", self._count_refs())

    def _count_refs(self) -> Iterator[int]:
        return accumulate(self.codes.translate(_ARITIES), initial=0)

    @cached_property
    def events(self) -> int:
        """How many nodes there are whose making is an event: all but constants."""
        return len(self.codes) - self.codes.count(CONSTANT.code)

    @cached_property
    def _moves(self) -> Sequence[int]:
        return [offset for offset, _ in self.places]

    @cached_property
    def created(self) -> array[int]:
        """The offsets of the nodes whose making is an event.

        A constant is none: it comes with the operation that uses it.
        """
        return array("q", (i for i, code in enumerate(self.codes) if code != CONSTANT.code))

    @cached_property
    def outer(self) -> tuple[int, ...]:
        """The indices of the operands that stand in earlier blocks, each once."""
        return tuple(~ref for ref in dict.fromkeys(self.refs) if ref < 0)

    @cached_property
    def inputs(self) -> list[int]:
        """The refs of what everything is computed from.

        Those are the nodes of earlier blocks that are used, then leaves and constants.
        """
        earlier = sorted({ref for ref in self.refs if ref < 0})
        return earlier + [i for i, code in enumerate(self.codes) if not OPS[code].partials]

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
        counts = (len(OPS[code].partials) for code in self.codes)
        return array("q", chain.from_iterable(map(repeat, range(len(self)), counts)))

    @property
    def slots(self) -> Iterator[int]:
        """For each of the refs, which operand of its node it is."""
        return chain.from_iterable(range(len(OPS[code].partials)) for code in self.codes)

    def op(self, offset: int) -> Op:
        """Return the operation of a node."""
        return OPS[self.codes[offset]]

    def reached(self, root: int) -> tuple[Counter[int], Sequence[int]]:
        """Return the refs that `root` depends on, and those it does not.

        Of the former, how many edges lead to each is counted; to the root leads one more. Mostly
        those are nearly all, so what is looked for are the others, from those that nobody uses on.
        """
        reached = Counter(self.refs)
        reached[root] += 1
        idle = [offset for offset in range(len(self)) if offset not in reached]
        # Not `operands`: what that keeps for readers is half of the structure's size again.
        first_ref = [*self._count_refs()] if idle else []
        for node in idle:
            for ref in self.refs[first_ref[node] : first_ref[node + 1]] if node >= 0 else ():
                reached[ref] -= 1
                if not reached[ref]:
                    del reached[ref]
                    idle.append(ref)
        return reached, idle

    def operands(self, offset: int) -> Sequence[int]:
        """Return the refs of a node's operands."""
        return self.refs[self._first_ref[offset] : self._first_ref[offset + 1]]

    def place(self, offset: int) -> Place:
        """Return where a node was made."""
        return self.stay(offset)[1]

    def stay(self, offset: int) -> tuple[int, Place]:
        """Return where a node was made, after the offset up to which all more were made there."""
        moved = bisect_right(self._moves, offset)
        until = self._moves[moved] if moved < len(self._moves) else len(self)
        return until, self.places[moved - 1][1]
