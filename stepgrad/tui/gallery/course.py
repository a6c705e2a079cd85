"""The course on the screen: lessons are opened one after the other."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO

from textual.app import App

from stepgrad.course.learner import Learner
from stepgrad.course.lessons import Course
from stepgrad.errors import StepgradError
from stepgrad.program import run_program
from stepgrad.scenario import ProgramFile, ScenarioFile
from stepgrad.scenario.rerun import session_on
from stepgrad.tui.dialogs.dialog import WaitDialog
from stepgrad.tui.gallery.learning import LessonScreen
from stepgrad.tui.screen.working import Onward
from stepgrad.tui.work import PATIENCE, Growing


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
        if isinstance(file, ProgramFile):  # a lesson takes little time to run
            with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
                run = run_program(str(file.path))
            session = session_on(run.recording).say(run.failure)
            await self._show(name, LessonScreen(name, self._learner, session))
            return
        growing = Growing(file)
        if growing.wait(PATIENCE):
            await self._debug(name, file, growing)
            return

        async def begun(done: bool | None) -> None:
            if done:
                await self._debug(name, file, growing)
            else:
                self._left(name)

        waiting = WaitDialog(f"recording {file.path.name}", growing)
        await self._app.push_screen(waiting, begun)

    async def go_on(self, name: str) -> None:
        """Open the lesson that follows another; after the last, leave."""
        following = self._learner.progress.following(name, self.course.names)
        if following is None:
            self._left(name)
        else:
            await self.open(following)

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
