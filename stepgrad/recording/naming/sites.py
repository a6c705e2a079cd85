"""The instructions of a program, each with its line and what becomes of its result (`Sites`)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from types import CodeType

from stepgrad.recording.naming.assigned import Assigned, Assignments, Span
from stepgrad.recording.source import path_of

Spot = tuple[int | None, str | None]
"""A line of a file."""


class Site:
    """An instruction: the line it is on, and what becomes of its result, if that is known.

    `statement` is the first line of its statement. It is `returned` if its function may return the
    result. Where nothing becomes of the result but the value of one variable, that is `variable`.
    """

    __slots__ = ("_within", "assigned", "returned", "spot", "statement", "variable")

    def __init__(
        self,
        spot: Spot,
        assigned: Assigned | None = None,
        statement: int | None = None,
        *,
        returned: bool = True,
    ) -> None:
        self.spot = spot
        self.assigned = assigned
        several = assigned is None or assigned.last or assigned.element or assigned.passed
        self.variable = "" if several or assigned is None else assigned.target
        self.statement = statement
        self.returned = returned
        self._within: Site | None = None

    @property
    def within(self) -> Site:
        """The same place, for what is made on the way to the result."""
        if self._within is None:
            self._within = Site(self.spot, None, self.statement, returned=False)
        return self._within


NOWHERE = Site((None, None))
"""Where the program is not."""


class Sites(dict[int, Site]):
    """The sites of a piece of code, by the offset in bytes; each is found when it is asked for.

    Args:
        code: the code.
        read: returns what is assigned in the text that it was compiled from, if that is known; it
            is called when the first site is asked for.
    """

    def __init__(self, code: CodeType, read: Callable[[], Assignments | None]) -> None:
        super().__init__()
        self.code = code
        self._read: Callable[[], Assignments | None] | None = read
        self._assignments: Assignments | None = None
        self._path = ""
        self._starts: list[int] = []
        self._lines: list[int | None] = []
        self._spans: list[Span] = []

    def __missing__(self, offset: int) -> Site:
        if self._read is not None:
            self._look(self._read)
        line = self._lines[bisect_right(self._starts, offset) - 1]
        assigned, statement, returned = None, line, True
        if self._assignments is not None:
            span = self._spans[offset // 2]
            assigned = self._assignments.get(span)
            statement = self._assignments.statements.get(line or 0, line)
            returned = self._assignments.returns(span)
        site = self[offset] = Site((line, self._path), assigned, statement, returned=returned)
        return site

    def _look(self, read: Callable[[], Assignments | None]) -> None:
        lines = tuple(self.code.co_lines())
        self._path = path_of(self.code.co_filename)
        self._starts = [start for start, _, _ in lines]
        self._lines = [line for _, _, line in lines]
        self._assignments = read()
        if self._assignments is not None:
            self._spans = [*self.code.co_positions()]
        self._read = None  # what it knows of the program is needed no longer
