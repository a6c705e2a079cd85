"""A lesson on the screen: the debugger, which notes what a person has done of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from textual import on
from textual.await_complete import AwaitComplete

from stepgrad.course.progress import Mark, Progress
from stepgrad.replay.session import Session
from stepgrad.scenario.load import ScenarioFile
from stepgrad.tui.screen.debugger import DebuggerScreen
from stepgrad.tui.screen.working import Onward
from stepgrad.tui.work import Growing


class Learner:
    """A person's progress in a course, as the screens know it.

    Each problem with keeping it shows once.
    """

    def __init__(self, notify: Callable[..., None], course: str = "") -> None:
        self.progress = Progress()
        self._course = course
        self._notify = notify
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
                self._notify(str(error), severity="warning", timeout=20, markup=False)


class LessonScreen(DebuggerScreen):
    """A debugger on a lesson of the course, by its name."""

    ONWARD = True

    def __init__(
        self,
        name: str,
        learner: Learner,
        session: Session,
        scenario: ScenarioFile | None = None,
        growing: Growing | None = None,
    ) -> None:
        super().__init__(session, scenario, growing)
        self.lesson_name = name
        self.learner = learner

    def on_mount(self) -> None:
        """Note that it was seen, but not before it is."""
        self.call_after_refresh(self._note, Mark(seen=True))

    @on(DebuggerScreen.LessonDone)
    def _done(self) -> None:
        self._note(Mark(seen=True, done=True))

    def dismiss(self, result: Onward | None = None) -> AwaitComplete:
        """Leave, after a note of the score: what comes next may show it."""
        self._note_score()
        return super().dismiss(result)

    def on_unmount(self) -> None:
        """Note the score if the app is left altogether."""
        self._note_score()

    def _note_score(self) -> None:
        score = self.now.score
        self._note(Mark(seen=True, right=score.right, asked=len(score.asked)))

    def _note(self, mark: Mark) -> None:
        self.learner.note(self.lesson_name, mark)
