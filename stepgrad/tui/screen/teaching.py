"""How a screen guides through a lesson: it ticks what has been done, and leads on from the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message
from textual.reactive import reactive

from stepgrad.replay.commands.hints import key
from stepgrad.replay.commands.table import Command
from stepgrad.replay.session import Session
from stepgrad.scenario.about import About
from stepgrad.tui.render import ink
from stepgrad.tui.screen.diagnosing import DiagnosingScreen
from stepgrad.tui.widgets.lesson import LessonPanel
from stepgrad.tui.work import Growing

if TYPE_CHECKING:
    from stepgrad.course.glossary import Entry
    from stepgrad.replay.lesson.following import Lesson


class TeachingScreen(DiagnosingScreen):
    """A screen whose recording may be that of a lesson."""

    lesson: reactive[Lesson | None] = reactive["Lesson | None"](None, repaint=False)

    ONWARD = False
    """Whether another lesson follows this one."""

    class LessonDone(Message, namespace="debugger_screen"):
        """The last step of the lesson is done."""

    def __init__(self, session: Session, growing: Growing | None, says: About) -> None:
        super().__init__(session, growing)
        self.says = says

    def on_mount(self) -> None:
        """Open the text once everything else is painted: reading Markdown takes a while."""
        self.call_after_refresh(self._open_text)

    def _open_text(self) -> None:
        self._open_lesson()  # first, or the text would be laid out twice
        for panel in self.query(LessonPanel):
            panel.open()

    def _open_lesson(self) -> None:
        if self.says.guides and self.lesson is None:
            from stepgrad.replay.lesson.following import Lesson  # noqa: PLC0415

            self.lesson = Lesson.of(self.says.text, self.now.recording)

    def perform(self, command: Command) -> None:
        """Carry out a command; where nothing is selected or left, some are for the lesson."""
        if command.name == "jump" and self._reads_on:
            self._read_on()
            return
        if command.name == "jump" and self._waits:
            return
        if command.name == "predict" and self._is_over:
            self.session = self.now.go(self.now.cursor.seek(0))
        super().perform(command)

    def carried_out(self, *commands: str) -> None:
        """Tick what has been done of the lesson; say once that all of it has."""
        self._open_lesson()
        before = self.lesson
        if before is None:
            return
        lesson = before
        for command in commands:
            lesson = lesson.after(command, self.now)
        self.lesson = lesson
        if lesson.done and not before.done:
            self.post_message(self.LessonDone())

    @property
    def _reads_on(self) -> bool:
        self._open_lesson()
        return self.lesson is not None and self.lesson.reads_on(self.now, onward=self.ONWARD)

    @property
    def _waits(self) -> bool:
        """Whether Enter would leave a step that waits for another key; if so, name that key.

        Where something is selected, Enter is for that.
        """
        waited = self.lesson.waits_for if self.lesson and self.now.selected is None else ""
        if waited in ("", "jump"):
            return False
        self.session = self.now.say(f"{key(waited)} comes next in this lesson")
        return True

    def _read_on(self) -> None:
        """Go to the next step of the lesson; after the last, to the next lesson."""
        if self.lesson is not None and self.lesson.done and not self.lesson.explaining:
            self.dismiss("next")
        else:
            self.carried_out("jump")

    @property
    def _is_over(self) -> bool:
        """Whether the lesson is, and the recording as well."""
        cursor = self.now.cursor
        over = self.lesson is not None and self.lesson.done
        return over and cursor.position == cursor.recording.length

    @property
    def words(self) -> list[Entry]:
        """The words of the glossary in the step to look at."""
        from stepgrad.course.glossary import mentions  # noqa: PLC0415 - after the first paint

        steps = self.lesson.steps[self.lesson.shown :][:1] if self.lesson else ()
        return [found.entry for step in steps for found in mentions(step.markdown)]

    def action_explain(self, word: str) -> None:
        """Explain a word that was clicked."""
        from stepgrad.tui.dialogs.help import WordScreen  # noqa: PLC0415 - after the first paint

        entry = next((each for each in self.words if each.word == word), None)
        if entry is not None:
            self.app.push_screen(WordScreen(entry))

    def watch_diagnosis(self) -> None:
        """Say what is wrong where no lesson shows below that."""
        verdicts = self.diagnosis.open if self.diagnosis else ()
        said = self.now.said or any(lesson.display for lesson in self.query(LessonPanel))
        if verdicts and not said:
            hint = f"{key('verdicts')} shows where"
            self.session = self.now.say(f"{ink.ALARM} {hint}: {verdicts[0].text}")
