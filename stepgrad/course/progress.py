"""How far a person is: a mark for each lesson, and the lesson that comes next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

DONE, SEEN = "✓", "◐"


class Mark(NamedTuple):
    """What a person has done of a lesson; of its quiz, how many were `right` of those `asked`."""

    seen: bool = False
    done: bool = False
    right: int = 0
    asked: int = 0

    @property
    def symbol(self) -> str:
        """One cell: `✓` for done, `◐` for seen."""
        return DONE if self.done else SEEN if self.seen else " "

    @property
    def score(self) -> str:
        """The quiz score, `3/4`; empty if nothing was asked."""
        return f"{self.right}/{self.asked}" if self.asked else ""

    def joined(self, other: Mark) -> Mark:
        """Return both: seen and done stay, and so does the better share of right answers.

        Of equal shares, the one with more questions is better.
        """
        best = max(self, other, key=lambda mark: (mark.right / max(mark.asked, 1), mark.asked))
        return Mark(self.seen or other.seen, self.done or other.done, best.right, best.asked)


class Progress(NamedTuple):
    """The marks of lessons by name, and the lesson that was opened `last`, if any."""

    marks: Mapping[str, Mark] = MappingProxyType({})
    last: str = ""

    def mark(self, name: str) -> Mark:
        """Return the mark of a lesson."""
        return self.marks.get(name, Mark())

    def plus(self, name: str, mark: Mark) -> Progress:
        """Join a mark to those of a lesson; one that is seen is the last."""
        marks = {**self.marks, name: self.mark(name).joined(mark)}
        return Progress(marks, name if mark.seen else self.last)

    def following(self, name: str, course: Sequence[str]) -> str | None:
        """Return the next lesson that is not done: after `name`, else from the beginning.

        If all are done, it is the one after `name`, and None after the last.
        """
        place = course.index(name) + 1 if name in course else 0
        others = [*course[place:], *(each for each in course[:place] if each != name)]
        open_ = (each for each in others if not self.mark(each).done)
        return next(open_, next(iter(course[place:]), None))

    def current(self, course: Sequence[str]) -> str | None:
        """Return the lesson to continue with: the last one, or, if that is done, the next.

        None if nothing was opened, or everything is done.
        """
        if not self.last or all(self.mark(name).done for name in course):
            return None
        unfinished = self.last in course and not self.mark(self.last).done
        return self.last if unfinished else self.following(self.last, course)

    def number(self, symbol: str, course: Sequence[str]) -> int:
        """Return the number of lessons of a course whose marks have a symbol."""
        return sum(self.mark(name).symbol == symbol for name in course)
