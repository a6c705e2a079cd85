"""The course on the screen: lessons are opened one after the other."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from textual.app import App

from stepgrad.course.learner import Learner
from stepgrad.course.lessons import Course
from stepgrad.errors import StepgradError
from stepgrad.program import Run
from stepgrad.program.apart import recorded_apart
from stepgrad.scenario import ProgramFile, ScenarioFile
from stepgrad.scenario.rerun import session_on
from stepgrad.tui.dialogs.dialog import WaitDialog
from stepgrad.tui.gallery.learning import LessonScreen
from stepgrad.tui.screen.working import Onward
from stepgrad.tui.work import PATIENCE, Growing, Work


class Guide:
    """Opens the lessons of a course, one after the other.

    `left` gets the name of a lesson from which a person does not go on.
    """

    def __init__(
        self, app: App[None], course: Course, learner: Learner, left: Callable[[str], object]
    ) -> None:
        self.course = course
        self._app = app
        self._learner = learner
        self._left = left

    async def open(self, name: str) -> None:
        """Record a lesson and open the debugger on it, as soon as there is something to see."""
        file = self.course.lessons[name]
        work: Growing | Work[Run]
        if isinstance(file, ProgramFile):
            work = Work(partial(recorded_apart, file.path))
            opened = partial(self._run, name, work)
        else:
            work = Growing(file)
            opened = partial(self._debug, name, file, work)
        if work.wait(PATIENCE):
            await opened()
            return

        async def begun(done: bool | None) -> None:
            if done:
                await opened()
            else:
                self._left(name)

        await self._app.push_screen(WaitDialog(f"recording {file.path.name}", work), begun)

    async def go_on(self, name: str) -> None:
        """Open the lesson that follows another; after the last, leave."""
        following = self._learner.progress.following(name, self.course.names)
        if following is None:
            self._left(name)
        else:
            await self.open(following)

    async def _run(self, name: str, work: Work[Run]) -> None:
        try:
            run = work.result()
        except StepgradError as error:
            self._app.notify(str(error), severity="error", markup=False)
            self._left(name)
        else:
            session = session_on(run.recording).say(run.failure)
            await self._show(name, LessonScreen(name, self._learner, session))

    async def _debug(self, name: str, file: ScenarioFile, growing: Growing) -> None:
        try:
            session = session_on(growing.result(), file)
        except StepgradError as error:
            self._app.notify(str(error), severity="error", markup=False)
            self._left(name)
        else:
            await self._show(name, LessonScreen(name, self._learner, session, file, growing))

    async def _show(self, name: str, screen: LessonScreen) -> None:
        async def left(onward: Onward | None) -> None:
            if onward:
                await self.go_on(name)
            else:
                self._left(name)

        await self._app.push_screen(screen, left)
