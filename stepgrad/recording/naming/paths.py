"""The calls that a node is made in (`Path`), with the instruction there (`Where`)."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from stepgrad.recording.naming.sites import Site

if TYPE_CHECKING:
    from stepgrad.recording.naming.calls import Mark
    from stepgrad.recording.naming.kinds import Kind


class Count:
    """How many calls of some code there were in a batch."""

    __slots__ = ("batch", "number")

    def __init__(self) -> None:
        self.batch = self.number = 0


class Path:
    """Calls, from the outermost to the innermost; without a `kind`, no call at all.

    Args:
        parent: the calls around the innermost one.
        kind: the code that it runs.
        name: what it is called; empty for one that is part of the call around it.
        site: the instruction that called it, if that is known.
        number: how many calls of its code the call around it had made before, in its batch.
    """

    __slots__ = (
        "around", "counts", "driver", "kind", "marks", "name", "number", "parent", "paths", "site"
    )  # fmt: skip

    def __init__(
        self,
        parent: Path | None = None,
        kind: Kind | None = None,
        name: str = "",
        site: Site | None = None,
        number: int = 0,
    ) -> None:
        self.parent = parent
        self.kind = kind
        self.name = name
        self.site = site
        self.number = number
        # Whether it goes on after backward passes, so that it runs the model, and is no part of it.
        self.driver = False
        # The innermost one with a name.
        self.around: Path = self if name or parent is None else parent.around
        self.paths: dict[object, Path] = {}
        self.marks: dict[Kind, Mark] = {}
        self.counts: dict[Kind, Count] = {}  # how many calls of each kind there were

    @property
    def outwards(self) -> Iterator[Path]:
        """This path, the one around it, and so on."""
        path: Path | None = self
        while path is not None:
            yield path
            path = path.parent


class Where:
    """An instruction in a call: the same object each time that this call makes nodes there."""

    __slots__ = ("_within", "path", "site")

    def __init__(self, site: Site, path: Path) -> None:
        self.site = site
        self.path = path
        self._within: Where | None = None

    @property
    def within(self) -> Where:
        """The same place, for what is made on the way to the result."""
        if self._within is None:
            self._within = Where(self.site.within, self.path)
        return self._within


def shape_of(wheres: Sequence[Where]) -> tuple[object, ...]:
    """Return what distinguishes places but for how many calls there were before.

    It is the same for others of the same shape: which of them are equal, and for each, the
    instruction and the calls. Of each of these, it has the code, the name, the instruction, and the
    call around it.
    """
    order = {where: number for number, where in enumerate(dict.fromkeys(wheres))}
    which = array("q", map(order.__getitem__, wheres))
    numbers: dict[Path, int] = {}
    waiting: list[Path] = []

    def number_of(path: Path) -> int:
        number = numbers.setdefault(path, len(waiting))
        if number == len(waiting):
            waiting.append(path)
        return number

    sites = [(where.site, number_of(where.path)) for where in order]
    calls: list[tuple[object, ...]] = []
    for path in waiting:  # it grows by the paths around
        around = -1 if path.parent is None else number_of(path.parent)
        calls.append((path.kind, path.name, path.site, path.driver, around))
    return which, sites, calls
