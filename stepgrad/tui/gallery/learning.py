"""A lesson on the screen: the debugger, which notes what a person has done of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from textual import on
from textual.await_complete import AwaitComplete

from stepgrad.course.learner import Learner
from stepgrad.course.progress import Mark
from stepgrad.replay.session import Session
from stepgrad.scenario.load import ScenarioFile
from stepgrad.tui.screen.debugger import DebuggerScreen
from stepgrad.tui.screen.working import Onward
from stepgrad.tui.work import Growing


def learning(notify: Callable[..., None], course: str = "") -> Learner:
    """Return who learns on a screen, which notifies them of problems."""
    return Learner(partial(notify, severity="warning", timeout=20, markup=False), course)


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
