"""The course at a prompt: lessons are read one after the other, and what is done of them kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from functools import partial
from io import StringIO

from stepgrad.cli.output import echo
from stepgrad.cli.prompt import Typed, converse
from stepgrad.course.learner import Learner
from stepgrad.course.lessons import Course
from stepgrad.course.progress import Mark
from stepgrad.errors import StepgradError
from stepgrad.opening import Opened, open_typed
from stepgrad.plain.choosing import choose, list_told
from stepgrad.plain.talk import Talk
from stepgrad.plain.words import read_message


class Guide:
    """Leads through a course, and keeps progress; a problem with keeping it is said once."""

    def __init__(self, typed: Typed, course: Callable[[], Course], kept: str = "") -> None:
        self._typed = typed
        self._course = course  # reading it takes a while, and it is often not needed
        self._learner = Learner(lambda problem: echo(read_message(problem)), kept)
        self._learner.read()

    def choose(self) -> None:
        """Read the list of lessons, open those that are named, and come back to the list.

        Raises:
            KeyboardInterrupt: Ctrl+C is pressed.
        """
        course = self._course()
        said: Sequence[str] = [*list_told(course, self._learner.progress)]
        while True:
            for text in said:
                echo(text)
            line = self._typed.line()
            if line == "" or line.strip() in ("q", "quit"):
                return
            name, said = choose(course, line, self._learner.progress)
            if name is None:
                continue
            try:
                opened = _open(course, name)
            except StepgradError as error:
                said = [read_message(text) for text in str(error).split("\n")]
                continue
            if not self.talk(name, opened, 0):
                return
            said = ["Back in the list of lessons. An empty line reads it, q leaves."]

    def talk(self, name: str, opened: Opened, position: int) -> bool:
        """Talk about a lesson, and about those after it; return whether more lines may come."""
        while True:
            left = converse(opened, position, self._typed, partial(self._note, name))
            if left != "next":
                return left != "end"
            course = self._course()
            following = self._learner.progress.following(name, course.names)
            if following is None:
                return True
            name, opened, position = following, _open(course, following), 0

    def _note(self, name: str, talk: Talk) -> None:
        """Keep what has been done of a lesson."""
        score = talk.session.score
        done = talk.lesson.lesson.done
        mark = Mark(seen=True, done=done, right=score.right, asked=len(score.asked))
        self._learner.note(name, mark)


def _open(course: Course, name: str) -> Opened:
    with redirect_stdout(StringIO()):  # a program that is a lesson prints
        return open_typed(course.typed(name))
