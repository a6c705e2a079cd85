"""Who goes through a course: what they have done of it, as a screen or a prompt knows it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from stepgrad.course.progress import Mark, Progress


class Learner:
    """A person's progress in a course.

    Each problem with keeping it is said once.

    Args:
        complain: takes what is wrong.
        course: the course, as in `state`.
    """

    def __init__(self, complain: Callable[[str], object], course: str = "") -> None:
        self.progress = Progress()
        self._complain = complain
        self._course = course
        self._said: set[str] = set()

    def read(self) -> None:
        """Take over what is kept."""
        from stepgrad.course.state import read_progress  # noqa: PLC0415 - after the first paint

        self._follow(partial(read_progress, self._course))

    def note(self, name: str, mark: Mark) -> None:
        """Keep a mark of a lesson."""
        from stepgrad.course.state import keep  # noqa: PLC0415 - after the first paint

        self.progress = self.progress.plus(name, mark)  # what cannot be kept counts until the end
        self._follow(partial(keep, name, mark, self._course))

    def _follow(self, act: Callable[[], Progress]) -> None:
        from stepgrad.course.state import ProgressError  # noqa: PLC0415 - after the first paint

        try:
            self.progress = act()
        except ProgressError as error:
            if str(error) not in self._said:
                self._said.add(str(error))
                self._complain(str(error))
