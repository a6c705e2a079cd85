"""What nodes of a pass are called, and where they were made, from what was noted of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache, cached_property, partial
from itertools import compress, count, islice
from operator import is_not
from typing import NamedTuple

from stepgrad.engine.node import Node
from stepgrad.engine.ops import CONSTANT
from stepgrad.engine.tape import Place
from stepgrad.recording.naming.paths import Path, Where
from stepgrad.recording.naming.scopes import scopes_of
from stepgrad.recording.naming.sites import Spot
from stepgrad.recording.naming.variables import variables
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
        codes: bytes,
        wheres: Sequence[Where],
        places: Sequence[Place],
        placed: Callable[[str, Spot], Place],
    ) -> None:
        self._wheres = wheres
        self._placed = placed
        not_constant = codes.translate(_NOT_CONSTANT)
        counts = dict.fromkeys([where.path for where in dict.fromkeys(wheres)], 0)
        for where, number in Counter(compress(wheres, not_constant)).items():
            counts[where.path] += number
        self._scope_of = scopes_of(counts)
        by_hand = [place.scope for place in places]
        self._by_hand = by_hand if any(by_hand) else None
        self._places = self._places_of()
        self._variables, sharing = variables(self._results(nodes, not_constant))
        self._sharing = sorted(sharing & self._variables.keys())
        leaves = compress(count(), codes.translate(LEAVES))
        self._loose = [offset for offset in leaves if not self._stays(offset)]
        self._prepared = self._preparing(codes) if self._loose else ()

    def _places_of(self) -> Sequence[Place]:
        """Return the place of each node, not asking what holds leaves."""
        if self._by_hand is None:
            placed = {each: self._at(each) for each in dict.fromkeys(self._wheres)}
            return [*map(placed.__getitem__, self._wheres)]
        both = [*zip(self._wheres, self._by_hand, strict=True)]
        at = {each: self._at(*each) for each in dict.fromkeys(both)}
        return [*map(at.__getitem__, both)]

    def _at(self, where: Where, by_hand: str = "") -> Place:
        return self._placed(by_hand or self._scope_of[where.path], where.site.spot)

    def _preparing(self, codes: bytes) -> Collection[int]:
        """Return which of the leaves without a name are made where nothing but leaves is made."""
        computing = set[Path]()
        for where in {*compress(self._wheres, codes.translate(COMPUTED))}:
            path: Path | None = where.path
            while path is not None and path not in computing:
                computing.add(path)
                path = path.parent
        prepares = cache(partial(_prepares, computing))
        return {
            offset
            for offset in self._loose
            if not (self._by_hand and self._by_hand[offset]) and prepares(self._wheres[offset].path)
        }

    def _results(self, nodes: Sequence[Node], not_constant: bytes) -> Iterator[tuple[int, Where]]:
        """Return the offset of each node, and where it was made; the offset of a zero is −1."""
        offsets, those = [*range(len(nodes))], bytearray(not_constant)
        at = those.find(0)
        while at >= 0:
            if not nodes[at]._data:
                offsets[at] = -1
                those[at] = 1
            at = those.find(0, at + 1)
        return compress(zip(offsets, self._wheres, strict=True), those)

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
            name, *_ = self._variables[offset]
            found.setdefault(name, {})[nodes[offset]._stamp] = offset
        return found

    def _stays(self, offset: int) -> bool:
        found = self._variables.get(offset)
        if found is None:
            return False
        _, path, _ = found
        return all(call.driver or not call.name for call in path.outwards)

    def _tells(self, path: Path) -> bool:
        """Whether a name says something: the `out` of a call says nothing outside its scope."""
        call = path.around
        if call.parent is None or call.driver:
            return True
        return self._scope_of[call] != self._scope_of[call.parent]

    def described(self, held: Mapping[int, Held], items: Mapping[int, str]) -> Described:
        """Return what is known, given what holds some of the unnamed leaves, by offset.

        `items` are the subscripts of results in the arrays that hold them.
        """
        if not held and not items:
            return self._unheld
        places = [*self._places]
        names = dict(self._unheld.names)
        for offset, where in held.items():
            names[offset] = where.text
            first, second = places[offset].scope, where.holders
            scope = second or first if offset in self._prepared else first or second
            places[offset] = self._placed(scope, self._wheres[offset].site.spot)
        names |= {at: f"{names[at]}{item}" for at, item in items.items() if at in names}
        return Described((*_moves(places),), (*names.items(),))

    @cached_property
    def _unheld(self) -> Described:
        """What is known without asking what holds leaves."""
        names: list[tuple[int, str]] = []
        scopes, by_hand = self._scope_of, self._by_hand
        before = {path: f"{scope}/" if scope else "" for path, scope in scopes.items()}
        for offset, (text, path, passed) in self._variables.items():
            if passed and not self._tells(path):
                continue
            if by_hand is not None and by_hand[offset]:
                names.append((offset, f"{by_hand[offset]}/{text}"))
            else:
                names.append((offset, before[path] + text))
        return Described((*_moves(self._places),), (*names,))


def _prepares(computing: Collection[Path], path: Path) -> bool:
    """Whether a call only makes leaves, for others to keep: no layer, and no part of one."""
    classes = any(each.kind is not None and each.kind.of_class for each in path.outwards)
    return not classes and path.around not in computing


def _moves(places: Sequence[Place]) -> Iterator[tuple[int, Place]]:
    """Return from which offset on nodes were made at which of these places."""
    offsets = [0, *compress(count(1), map(is_not, places, islice(places, 1, None)))]
    return zip(offsets, map(places.__getitem__, offsets), strict=True)
