"""What nodes of a pass are called, and where they were made, from what was noted of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from stepgrad.engine.node import Node
from stepgrad.engine.ops import CONSTANT, LEAF
from stepgrad.engine.tape import Place
from stepgrad.recording.naming.calls import Path
from stepgrad.recording.naming.scopes import scopes_of
from stepgrad.recording.naming.sites import Site, Spot
from stepgrad.recording.naming.variables import Variable, variables
from stepgrad.recording.naming.walk import Held

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
    """The nodes of a pass, with the instruction, the scope by hand and the calls of each."""

    def __init__(
        self,
        nodes: Sequence[Node],
        sites: Sequence[Site],
        places: Sequence[Place],
        paths: Sequence[Path],
    ) -> None:
        self._nodes = nodes
        self._sites = sites
        self._places = places
        self._paths = paths
        counted = zip(paths, nodes, strict=True)
        counts = Counter(path for path, node in counted if node._operation is not CONSTANT)
        self._scopes = scopes_of(dict.fromkeys(paths, 0) | counts)
        noted = zip(paths, nodes, strict=True)
        computed = {path for path, node in noted if node._first is not None}
        self._computing = {each for path in computed for each in path.outwards}
        self._variables = variables(self._results())

    def _results(self) -> Iterator[tuple[int, Site, Path]]:
        noted = zip(self._nodes, self._sites, self._paths, strict=True)
        for offset, (node, site, path) in enumerate(noted):
            if node._operation is not CONSTANT:
                yield offset, site, path
            elif not node._data:
                yield -1, site, path

    @cached_property
    def unnamed(self) -> Mapping[int, int]:
        """The offsets of leaves that no running call has assigned to a variable, by stamp."""
        return {
            node._stamp: offset
            for offset, node in enumerate(self._nodes)
            if node._operation is LEAF and node._label is None and not self._stays(offset)
        }

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
        return self._scopes[call] != self._scopes[call.parent]

    def _scope(self, offset: int, path: Path) -> str:
        return self._places[offset].scope or self._scopes[path]

    def _prepares(self, path: Path) -> bool:
        """Whether a call only makes leaves, for others to keep: no layer, and no part of one."""
        classes = any(each.kind is not None and each.kind.of_class for each in path.outwards)
        return not classes and path.around not in self._computing

    def described(
        self, held: Mapping[int, Held], placed: Callable[[str, Spot], Place]
    ) -> Described:
        """Return what is known, given what holds some of the unnamed leaves, by stamp."""
        names: dict[int, str] = {}
        for offset, variable in self._variables.items():
            if self._tells(variable):
                scope = self._scope(offset, variable.path)
                names[offset] = f"{scope}/{variable.text}" if scope else variable.text
        scopes = [*map(self._scope, range(len(self._nodes)), self._paths)]
        for stamp, where in held.items():
            offset = self.unnamed[stamp]
            names[offset] = where.text
            if not self._places[offset].scope and self._prepares(self._paths[offset]):
                scopes[offset] = where.holders or scopes[offset]
            else:
                scopes[offset] = scopes[offset] or where.holders
        return Described((*self._moves(scopes, placed),), (*names.items(),))

    def _moves(
        self, scopes: Sequence[str], placed: Callable[[str, Spot], Place]
    ) -> Iterator[tuple[int, Place]]:
        before: tuple[str, Spot] | None = None
        for offset, (scope, site) in enumerate(zip(scopes, self._sites, strict=True)):
            if before is None or scope != before[0] or site.spot != before[1]:
                before = scope, site.spot
                yield offset, placed(*before)
