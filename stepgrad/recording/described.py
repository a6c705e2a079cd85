"""What nodes of a pass are called, and where they were made, from what was noted of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain, compress, count, islice
from operator import ne, or_
from typing import NamedTuple

from stepgrad.engine.node import Node
from stepgrad.engine.ops import CONSTANT
from stepgrad.engine.tape import Place
from stepgrad.recording.naming.calls import Path
from stepgrad.recording.naming.scopes import scopes_of
from stepgrad.recording.naming.sites import Site, Spot
from stepgrad.recording.naming.variables import Variable, variables
from stepgrad.recording.naming.walk import Held
from stepgrad.recording.structure import COMPUTED, LEAVES

_NOT_CONSTANT = bytes(code != CONSTANT.code for code in range(256))
"""A table for `bytes.translate`: 1 for the codes of all nodes but constants."""

Moves = tuple[tuple[int, Place], ...]
"""From which offset on nodes were made at which place."""


class Described(NamedTuple):
    """What is known of nodes but for their labels.

    Args:
        moves: from which offset on they were made at which place.
        names: the variables that they are assigned to, or held by, by offset.
    """

    moves: Moves
    names: tuple[tuple[int, str], ...]


class Describing:
    """Nodes, with the instruction, the scope by hand and the calls of each: what they are called.

    It holds for all nodes that are made alike, as it keeps none of them.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        sites: Sequence[Site],
        places: Sequence[Place],
        paths: Sequence[Path],
        placed: Callable[[str, Spot], Place],
    ) -> None:
        self._sites = sites
        self._placed = placed
        codes = bytes([node._operation.code for node in nodes])
        not_constant = codes.translate(_NOT_CONSTANT)
        counts = Counter(compress(paths, not_constant))
        self._scope_of = scopes_of(dict.fromkeys(paths, 0) | counts)
        self._by_hand = [place.scope for place in places]
        self._scopes = [*map(self._scope_of.__getitem__, paths)]
        if any(self._by_hand):
            both = zip(self._by_hand, self._scopes, strict=True)
            self._scopes = [by_hand or scope for by_hand, scope in both]
        self._variables, sharing = variables(self._results(nodes, paths, not_constant))
        self._sharing = sorted(sharing & self._variables.keys())
        leaves = compress(count(), codes.translate(LEAVES))
        self._loose = [offset for offset in leaves if not self._stays(offset)]
        computed = {*compress(paths, codes.translate(COMPUTED))}
        self._computing = {each for path in computed for each in path.outwards}
        self._prepared = {
            offset
            for offset in self._loose
            if not self._by_hand[offset] and self._prepares(paths[offset])
        }

    def _results(
        self, nodes: Sequence[Node], paths: Sequence[Path], not_constant: bytes
    ) -> Iterator[tuple[int, Site, Path]]:
        """Return the offset of each node, with its instruction and call; of a zero it is −1."""
        offsets, those = [*range(len(nodes))], bytearray(not_constant)
        at = those.find(0)
        while at >= 0:
            if not nodes[at]._data:
                offsets[at] = -1
                those[at] = 1
            at = those.find(0, at + 1)
        return compress(zip(offsets, self._sites, paths, strict=True), those)

    def unnamed(self, nodes: Sequence[Node]) -> Mapping[int, int]:
        """Return the offsets of leaves that no running call has assigned to a variable, by stamp.

        `nodes` are any that are made alike.
        """
        leaves = ((offset, nodes[offset]) for offset in self._loose)
        return {leaf._stamp: offset for offset, leaf in leaves if leaf._label is None}

    def sharing(self, nodes: Sequence[Node]) -> Mapping[str, Mapping[int, int]]:
        """Return the offsets of results that share a variable, by its name and by stamp.

        `nodes` are any that are made alike.
        """
        found: dict[str, dict[int, int]] = {}
        for offset in self._sharing:
            name = self._variables[offset].text
            found.setdefault(name, {})[nodes[offset]._stamp] = offset
        return found

    def _stays(self, offset: int) -> bool:
        variable = self._variables.get(offset)
        if variable is None:
            return False
        return all(call.driver or not call.name for call in variable.path.outwards)

    def _tells(self, variable: Variable) -> bool:
        """Whether a name says something: the `out` of a call says nothing outside its scope."""
        call = variable.path.around
        if not variable.passed or call.parent is None or call.driver:
            return True
        return self._scope_of[call] != self._scope_of[call.parent]

    def described(self, held: Mapping[int, Held], items: Mapping[int, str]) -> Described:
        """Return what is known, given what holds some of the unnamed leaves, by offset.

        `items` are the subscripts of results in the arrays that hold them.
        """
        if not held and not items:
            return self._unheld
        scopes = [*self._scopes]
        names = dict(self._unheld.names)
        for offset, where in held.items():
            names[offset] = where.text
            first, second = scopes[offset], where.holders
            scopes[offset] = second or first if offset in self._prepared else first or second
        names |= {at: f"{names[at]}{item}" for at, item in items.items() if at in names}
        moves = self._unheld.moves if scopes == self._scopes else (*self._moves(scopes),)
        return Described(moves, (*names.items(),))

    def _prepares(self, path: Path) -> bool:
        """Whether a call only makes leaves, for others to keep: no layer, and no part of one."""
        classes = any(each.kind is not None and each.kind.of_class for each in path.outwards)
        return not classes and path.around not in self._computing

    @cached_property
    def _unheld(self) -> Described:
        """What is known without asking what holds leaves."""
        names: dict[int, str] = {}
        for offset, variable in self._variables.items():
            if self._tells(variable):
                scope = self._by_hand[offset] or self._scope_of[variable.path]
                names[offset] = f"{scope}/{variable.text}" if scope else variable.text
        return Described((*self._moves(self._scopes),), (*names.items(),))

    def _moves(self, scopes: Sequence[str]) -> Iterator[tuple[int, Place]]:
        spots = [site.spot for site in self._sites]
        elsewhere = map(ne, scopes, islice(scopes, 1, None))
        on_another_line = map(ne, spots, islice(spots, 1, None))
        for offset in chain((0,), compress(count(1), map(or_, elsewhere, on_another_line))):
            yield offset, self._placed(scopes[offset], spots[offset])
