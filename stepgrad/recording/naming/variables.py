"""Which nodes of a pass are assigned to which variables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from stepgrad.recording.naming.assigned import Assigned
from stepgrad.recording.naming.calls import Path
from stepgrad.recording.naming.sites import Site


class Variable(NamedTuple):
    """A variable, or an element of one.

    Args:
        text: its name.
        path: the call in which it is one.
        passed: whether the call returns it, and nothing outside is called after that.
    """

    text: str
    path: Path
    passed: bool = False


def variables(made: Iterable[tuple[int, Site, Path]]) -> tuple[dict[int, Variable], set[int]]:
    """Return which nodes are assigned to variables, by offset, and which of them share one.

    Nodes share a variable that one statement gives them: it holds an array of them, or each for a
    while in a loop.

    Args:
        made: the offset of each node, the instruction and the call that made it, in order. Of
            constants there are only zeros, from which sums start, with the offset −1.
    """
    assigning = _Assigning()
    statement_in, enter, take = assigning.statements.get, assigning.enter, assigning.made
    for offset, site, path in made:
        if statement_in(path, -1) != site.statement:
            enter(site, path)
        assigned = site.assigned
        if assigned is not None:
            take(offset, site, assigned, path)
    for path in [*assigning.results]:
        assigning.end(path)
    return assigning.found, assigning.sharing


class _Assigning:
    """Follows the statements of each call."""

    def __init__(self) -> None:
        self.found: dict[int, Variable] = {}
        self.statements: dict[Path, int | None] = {}  # the one that each call is in
        self.sharing: set[int] = set()
        self.results: dict[Path, dict[Site, int]] = {}  # those of sums, as far as they have come
        self._latest: dict[Path, tuple[Site, int]] = {}
        self._elements: dict[Path, dict[Site, int]] = {}  # how many there were

    def enter(self, site: Site, path: Path) -> None:
        """Take note of the statement that a call is in."""
        self.statements[path] = site.statement
        self._elements.pop(path, None)
        self._latest.pop(path, None)
        if path in self.results:
            self.end(path)

    def end(self, path: Path) -> None:
        """Take note that the sums of a call's latest statement have come to their end."""
        for site, offset in self.results.pop(path).items():
            if offset >= 0 and site.assigned is not None:
                self._assign(offset, site, site.assigned, path)

    def made(self, offset: int, site: Site, assigned: Assigned, path: Path) -> None:
        """Take note of a node whose instruction belongs to an assigned expression."""
        if not assigned.last:
            if offset >= 0:
                site_before, before = self._latest.get(path, (None, -1))
                if site is site_before and not assigned.element:
                    self.sharing |= {before, offset}
                self._latest[path] = site, offset
                self._assign(offset, site, assigned, path)
            return
        results = self.results.get(path)
        if results is None:
            results = self.results[path] = {}
        if offset < 0 and assigned.function:
            return  # a zero is an operand there, and not where a sum starts
        if offset < 0:
            if results.get(site, -1) >= 0:
                self._assign(results[site], site, assigned, path)
            results[site] = offset
        elif site in results or not assigned.element:  # else it is not known where the sum begins
            results[site] = offset

    def _assign(self, offset: int, site: Site, assigned: Assigned, path: Path) -> None:
        """Find the variable; what a function returns is assigned by the call of it."""
        item = self._item(site, path) if assigned.element else ""
        while assigned.returned:
            if assigned.passed:
                self.found[offset] = Variable(f"{assigned.target}{item}", path, passed=True)
            if path.parent is not None and path.kind is not None and path.kind.listing:
                path = path.parent
            calling, outer = path.site, path.parent
            if outer is None or calling is None or calling.assigned is None:
                return
            if not _calls(calling.assigned, path):
                return
            site, assigned, path = calling, calling.assigned, outer
            if self.statements.get(path, -1) != site.statement:
                self.enter(site, path)
            if assigned.element:
                if item:
                    return  # a list of lists
                item = self._item(site, path)
        self.found[offset] = Variable(f"{assigned.target}{item}", path)

    def _item(self, site: Site, path: Path) -> str:
        """Return which element of a list comes next."""
        elements = self._elements.setdefault(path, {})
        number = elements[site] = elements.get(site, -1) + 1
        return f"[{number}]"


def _calls(assigned: Assigned, path: Path) -> bool:
    """Whether what an expression calls is the code of a path, as far as the name tells."""
    name = path.kind.code.co_name if path.kind else ""
    return bool(assigned.function) and name in (assigned.function, "__call__")
