"""How a screen says what is wrong in its recording: it looks in the background, once it can."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.reactive import reactive
from textual.timer import Timer
from textual.widgets import Static

from stepgrad.errors import StepgradError
from stepgrad.recording.recording import Recording
from stepgrad.replay.commands.moving import visit
from stepgrad.replay.commands.table import Command
from stepgrad.replay.session import Session
from stepgrad.scenario.diagnosed import Diagnosis, diagnosed
from stepgrad.tui.keymap import shown_keys
from stepgrad.tui.screen.working import FOLLOW, WorkingScreen
from stepgrad.tui.work import PATIENCE, Growing, Work

if TYPE_CHECKING:
    from stepgrad.tui.render.listing import Line


class DiagnosingScreen(WorkingScreen):
    """A screen that shows reports, among them what is wrong in the recording of its session."""

    diagnosis: reactive[Diagnosis | None] = reactive[Diagnosis | None](None, repaint=False)

    def __init__(self, session: Session, growing: Growing | None = None) -> None:
        super().__init__(session, growing)
        self._painted = False
        self._about: Recording | None = None
        self._looking: Work[Diagnosis] | None = None
        self._looker: Timer | None = None

    @property
    def settled(self) -> bool:
        """Whether nothing more is found out by and by about what the screen shows."""
        return self._painted and self._looking is None

    def on_mount(self) -> None:
        """Look for what is wrong, but not before there is something to see."""
        self.call_after_refresh(self._begin)

    def on_unmount(self) -> None:
        """Look no further when the screen closes."""
        self._stop_looking()

    def _begin(self) -> None:
        self._painted = True
        self.look()

    def look(self) -> None:
        """Look for what is wrong in the recording at hand, unless that is known or it grows."""
        recording, progress = self.now.recording, self.now.progress
        growing = progress is not None and not progress.stopped
        if growing or not self._painted or recording is self._about:
            return
        self._stop_looking()
        self._about, self.diagnosis = recording, None
        self._looking = Work(partial(diagnosed, recording))
        self._looker = self.set_interval(1 / FOLLOW, self._look_again)

    def _look_again(self) -> None:
        """Show what is wrong as soon as it is known."""
        work = self._looking
        if work is None or not work.wait(0):
            return
        self._stop_looking()
        try:
            self.diagnosis = work.result()
        except StepgradError as error:  # there was not enough memory
            self.app.notify(str(error), severity="error", markup=False)

    def _stop_looking(self) -> None:
        if self._looking is not None:
            self._looking.stop()
            self._looking = None
        if self._looker is not None:
            self._looker.stop()

    def perform(self, command: Command) -> None:
        """Carry out a command; show its report, if it has one."""
        if not command.report:
            super().perform(command)
        elif command.name == "verdicts":
            self._show_verdicts(command)
        else:
            self._report(command)

    def _show_verdicts(self, command: Command) -> None:
        """Show what is wrong, as soon as it is known."""
        self._painted = True
        if self.diagnosis is None and self._looking is None:
            self._about = None  # it was cancelled
            self.look()
        work = self._looking
        if work is None and self.diagnosis is None:
            self.session = self.now.say("what is wrong shows when the recording is complete")
        elif work is None or work.wait(PATIENCE):
            self._looked(command, done=True)
        else:
            from stepgrad.tui.dialogs.dialog import WaitDialog  # noqa: PLC0415 - most work is quick

            self.app.push_screen(WaitDialog(command.brief, work), partial(self._looked, command))

    def _looked(self, command: Command, done: bool | None) -> None:
        if not done:
            self._stop_looking()
            self.session = self.now.say("cancelled")
            return
        self._look_again()
        if self.diagnosis is not None:
            self._report(command)

    def _report(self, command: Command) -> None:
        from stepgrad.tui.dialogs.dialog import ReportScreen  # noqa: PLC0415 - after the first paint
        from stepgrad.tui.dialogs.places import PlacesScreen  # noqa: PLC0415
        from stepgrad.tui.render.listing import Listing  # noqa: PLC0415
        from stepgrad.tui.render.reports import REPORTS  # noqa: PLC0415

        room = self.size.width - ReportScreen.FRAME
        report = REPORTS[command.name](self.now, shown_keys(self), room)
        if isinstance(report, Listing):
            self.app.push_screen(PlacesScreen(command.brief, report), self._visit)
        else:
            self.app.push_screen(ReportScreen(command.brief, Static(report)))
        self.carried_out(command.name)

    def _visit(self, line: Line | None) -> None:
        """Go to the place that was chosen in a report."""
        if line is not None and line.position is not None:
            self.session = visit(self.now, line.position, line.node)
