"""Which nodes of a pass are assigned to which variables."""

from __future__ import annotations

from collections.abc import Iterable

from stepgrad.recording.naming.assigned import Assigned
from stepgrad.recording.naming.paths import Path, Where
from stepgrad.recording.naming.sites import Site

Variable = tuple[str, Path, bool]
"""A variable, or an element of one: its name, and the call in which it is one.

The last part is whether the call returns it, and nothing outside is called after that.
"""


def variables(made: Iterable[tuple[int, Where]]) -> tuple[dict[int, Variable], set[int]]:
    """Return which nodes are assigned to variables, by offset, and which of them share one.

    Nodes share a variable that one statement gives them: it holds an array of them, or each for a
    while in a loop.

    Args:
        made: the offset of each node, and where it was made, in order. Of constants there are only
            zeros, from which sums start, with the offset −1.
    """
    assigning = _Assigning()
    found = assigning.found
    for offset, where in made:
        call, site, variable = assigning[where]
        if call.statement != site.statement:
            assigning.enter(call, site.statement)
        if variable is not None:
            if offset >= 0:
                assigning.share(offset, site, call)
                found[offset] = variable
        elif site.assigned is not None:
            if offset >= 0 and call.results and site in call.results:  # as in most of a sum
                call.results[site] = offset
            else:
                assigning.made(offset, site, site.assigned, call)
    for call in [*assigning.summing]:
        assigning.end(call)
    return found, assigning.sharing


class _Call:
    """A call of the program, and how far it has come.

    Args:
        path: the call.
    """

    __slots__ = ("elements", "latest", "path", "results", "site", "statement")

    def __init__(self, path: Path) -> None:
        self.path = path
        self.statement: int | None = -1  # the one that it is in
        self.site: Site | None = None  # the latest that gave a variable there, and the node
        self.latest = -1
        self.results: dict[Site, int] | None = None  # those of sums, as far as they have come
        self.elements: dict[Site, int] | None = None  # how many there were


_Step = tuple[_Call, Site, Variable | None]
"""A call, the instruction, and the variable, if that is all there is to it."""


class _Assigning(dict[Where, _Step]):
    """Follows the statements of each call: what it means that a node is made somewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[int, Variable] = {}
        self.sharing: set[int] = set()
        self.summing: dict[_Call, None] = {}  # those with results, in order
        self._calls: dict[Path, _Call] = {}

    def __missing__(self, where: Where) -> _Step:
        site, path = where.site, where.path
        variable = (site.variable, path, False) if site.variable else None
        step = self[where] = self._call(path), site, variable
        return step

    def _call(self, path: Path) -> _Call:
        call = self._calls.get(path)
        if call is None:
            call = self._calls[path] = _Call(path)
        return call

    def enter(self, call: _Call, statement: int | None) -> None:
        """Take note of the statement that a call is in."""
        call.statement, call.elements, call.site = statement, None, None
        if call.results is not None:
            self.end(call)

    def share(self, offset: int, site: Site, call: _Call) -> None:
        """Take note of a node; it shares its variable with the one before of the same site."""
        if call.site is site:
            self.sharing |= {call.latest, offset}
        call.site, call.latest = site, offset

    def end(self, call: _Call) -> None:
        """Take note that the sums of a call's latest statement have come to their end."""
        results, call.results = call.results or {}, None
        self.summing.pop(call, None)
        for site, offset in results.items():
            if offset >= 0 and site.assigned is not None:
                self._assign(offset, site, site.assigned, call)

    def made(self, offset: int, site: Site, assigned: Assigned, call: _Call) -> None:
        """Take note of a node whose instruction belongs to an assigned expression."""
        if not assigned.last:
            if offset >= 0:
                if assigned.element:
                    call.site = None
                else:
                    self.share(offset, site, call)
                self._assign(offset, site, assigned, call)
            return
        if offset < 0 and assigned.function:
            return  # a zero is an operand there, and not where a sum starts
        results = call.results or {}
        if offset < 0:
            if results.get(site, -1) >= 0:
                self._assign(results[site], site, assigned, call)
        elif site not in results and assigned.element:
            return  # it is not known where the sum begins
        results[site] = offset
        if call.results is None:
            call.results, self.summing[call] = results, None

    def _assign(self, offset: int, site: Site, assigned: Assigned, call: _Call) -> None:
        """Find the variable; what a function returns is assigned by the call of it."""
        item = _item(site, call) if assigned.element else ""
        while assigned.returned:
            path = call.path
            if assigned.passed:
                self.found[offset] = f"{assigned.target}{item}", path, True
            if path.parent is not None and path.kind is not None and path.kind.listing:
                path = path.parent
            calling, outer = path.site, path.parent
            if outer is None or calling is None or calling.assigned is None:
                return
            if not _calls(calling.assigned, path):
                return
            site, assigned, call = calling, calling.assigned, self._call(outer)
            if call.statement != site.statement:
                self.enter(call, site.statement)
            if assigned.element:
                if item:
                    return  # a list of lists
                item = _item(site, call)
        self.found[offset] = f"{assigned.target}{item}", call.path, False


def _item(site: Site, call: _Call) -> str:
    """Return which element of a list comes next."""
    if call.elements is None:
        call.elements = {}
    number = call.elements[site] = call.elements.get(site, -1) + 1
    return f"[{number}]"


def _calls(assigned: Assigned, path: Path) -> bool:
    """Whether what an expression calls is the code of a path, as far as the name tells."""
    name = path.kind.code.co_name if path.kind else ""
    return bool(assigned.function) and name in (assigned.function, "__call__")
