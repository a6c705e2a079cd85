"""Which nodes of a pass are assigned to which variables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from stepgrad.recording.naming.assigned import Assigned
from stepgrad.recording.naming.calls import Path
from stepgrad.recording.naming.sites import Site


class Variable(NamedTuple):
    """A variable, or an element of one: its text, and the call in which it is one."""

    text: str
    path: Path


def variables(made: Iterable[tuple[int, Site, Path]]) -> Iterator[tuple[int, Variable]]:
    """Yield which nodes are assigned to variables, by offset, in no order.

    Args:
        made: the offset of each node, the instruction and the call that made it, in order. Of
            constants there are only zeros, from which sums start, with the offset −1.
    """
    assigning = _Assigning()
    for offset, site, path in made:
        yield from assigning.made(offset, site, path)
    yield from assigning.ended()


class _Assigning:
    """Follows the statements of each call."""

    def __init__(self) -> None:
        self._statements: dict[Path, int | None] = {}  # the one that each call is in
        self._elements: dict[Path, dict[Site, int]] = defaultdict(dict)  # how many there were
        self._results: dict[Path, dict[Site, int]] = defaultdict(dict)  # the last so far

    def made(self, offset: int, site: Site, path: Path) -> Iterator[tuple[int, Variable]]:
        yield from self._enter(site, path)
        assigned = site.assigned
        if assigned is None:
            return
        if assigned.last:
            results = self._results[path]
            if offset < 0:
                yield from self._result(site, path)
                results[site] = offset
            elif site in results or not assigned.element:
                results[site] = offset
        elif offset >= 0:
            yield from self._found(offset, site, assigned, path)

    def ended(self) -> Iterator[tuple[int, Variable]]:
        for path, results in self._results.items():
            for site in [*results]:
                yield from self._result(site, path)

    def _enter(self, site: Site, path: Path) -> Iterator[tuple[int, Variable]]:
        """Take note of the statement that a call is in."""
        if self._statements.get(path, -1) != site.statement:
            self._statements[path] = site.statement
            self._elements.pop(path, None)
            for each in [*self._results.get(path, ())]:
                yield from self._result(each, path)

    def _result(self, site: Site, path: Path) -> Iterator[tuple[int, Variable]]:
        offset = self._results[path].pop(site, -1)
        if offset >= 0 and site.assigned is not None:
            yield from self._found(offset, site, site.assigned, path)

    def _found(
        self, offset: int, site: Site, assigned: Assigned, path: Path
    ) -> Iterator[tuple[int, Variable]]:
        """Yield the variable; what a function returns is assigned by the call of it."""
        while assigned.returned:
            calling, outer = path.site, path.parent
            if outer is None or calling is None or calling.assigned is None:
                return
            if not _calls(calling.assigned, path):
                return
            site, assigned, path = calling, calling.assigned, outer
            yield from self._enter(site, path)
        text = assigned.target
        if assigned.element:
            number = self._elements[path].get(site, 0)
            self._elements[path][site] = number + 1
            text = f"{text}[{number}]"
        yield offset, Variable(text, path)


def _calls(assigned: Assigned, path: Path) -> bool:
    """Whether what an expression calls is the code of a path, as far as the name tells."""
    name = path.kind.code.co_name if path.kind else ""
    return bool(assigned.function) and name in (assigned.function, "__call__")
