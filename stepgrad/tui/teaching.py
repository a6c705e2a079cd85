"""How a screen guides through a lesson: it ticks what has been done, and leads on from the end."""

from __future__ import annotations

from textual.message import Message
from textual.reactive import reactive

from stepgrad.replay.commands.table import Command
from stepgrad.replay.lesson.following import Lesson
from stepgrad.replay.session import Session
from stepgrad.scenario.about import About
from stepgrad.tui.diagnosing import DiagnosingScreen
from stepgrad.tui.widgets.lesson import in_course
from stepgrad.tui.work import Growing


class TeachingScreen(DiagnosingScreen):
    """A screen whose recording may be that of a lesson."""

    lesson: reactive[Lesson | None] = reactive[Lesson | None](None, repaint=False)

    class LessonDone(Message, namespace="debugger_screen"):
        """The last step of the lesson is done."""

    def __init__(self, session: Session, growing: Growing | None, says: About) -> None:
        super().__init__(session, growing)
        self.says = says

    def on_mount(self) -> None:
        """Open the lesson once everything else is painted: reading Markdown takes a while."""
        self.call_after_refresh(self._open_lesson)

    def _open_lesson(self) -> None:
        if self.says.guides and self.lesson is None:
            self.lesson = Lesson.of(self.says.text, self.now.recording)

    def perform(self, command: Command) -> None:
        """Carry out a command; where nothing is selected or left, some are for the lesson."""
        if command.name == "jump" and self._reads_on:
            self._read_on()
            return
        if command.name == "predict" and self._is_over:
            self.session = self.now.go(self.now.cursor.seek(0))
        super().perform(command)

    def carried_out(self, command: str) -> None:
        """Tick what has been done of the lesson; say once that all of it has."""
        self._open_lesson()
        before = self.lesson
        if before is not None and not before.done:
            self.lesson = before.after(command, self.now)
            if self.lesson.done:
                self.post_message(self.LessonDone())

    @property
    def _reads_on(self) -> bool:
        """Whether Enter is for the lesson: nothing is selected, and no key or place is awaited."""
        self._open_lesson()
        lesson = self.lesson
        reads = lesson is not None and (lesson.current is None or not lesson.current.demands)
        return reads and self.now.selected is None

    def _read_on(self) -> None:
        """Go to the next step of the lesson; after the last, to the next lesson, if any."""
        if self.lesson is not None and not self.lesson.done:
            self.carried_out("jump")
        elif in_course(self):
            self.dismiss("next")

    @property
    def _is_over(self) -> bool:
        """Whether the lesson is, and the recording as well."""
        cursor = self.now.cursor
        over = self.lesson is not None and self.lesson.done
        return over and cursor.position == cursor.recording.length
