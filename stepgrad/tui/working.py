"""How a screen with a session handles what takes long: the keys never wait for it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from textual.reactive import reactive
from textual.screen import Screen

from stepgrad.errors import NotEnoughMemoryError, StepgradError
from stepgrad.replay.commands import Command
from stepgrad.replay.session import Session
from stepgrad.tui.dialogs import WaitDialog
from stepgrad.tui.work import PATIENCE, Growing, Work

FOLLOW = 8
"""How many times a second a recording is read while it is being made."""


class WorkingScreen(Screen[None]):
    """A screen that owns a session, perhaps on a recording that is still `growing`."""

    session: reactive[Session | None] = reactive[Session | None](None, repaint=False)

    def __init__(self, session: Session, growing: Growing | None = None) -> None:
        super().__init__()
        self._growing = growing
        self._work: Work[Session] | None = None
        self.set_reactive(WorkingScreen.session, self.validate_session(session))

    @property
    def now(self) -> Session:
        """The session."""
        assert self.session is not None, "set when the screen is made"
        return self.session

    def validate_session(self, session: Session) -> Session:
        """Say of every session how much there is of the recording that it is about."""
        growing = self._growing
        shown = growing is not None and session.recording is growing.recording
        return replace(session, progress=growing.progress if growing and shown else None)

    def on_mount(self) -> None:
        """Follow a recording that is still being made."""
        if self._growing is not None:
            self._follower = self.set_interval(1 / FOLLOW, partial(self._follow, self._growing))
            self._follow(self._growing)

    def on_unmount(self) -> None:
        """Stop recording when the screen closes."""
        if self._growing is not None:
            self._growing.stop()

    def _follow(self, growing: Growing) -> None:
        """Show what has been recorded by now."""
        growing.take()
        self.session = self.now
        if growing.progress is None or growing.progress.stopped:
            self._follower.stop()
            if isinstance(growing.error, StepgradError):  # what there is can be looked at
                self.app.notify(str(growing.error), severity="error", markup=False)
            elif growing.error is not None:
                raise growing.error

    def action_stop_recording(self) -> None:
        """Leave the recording at what is there."""
        growing = self._growing
        if growing is None or growing.progress is None or growing.progress.stopped:
            self.session = self.now.say("nothing is being recorded")
            return
        growing.stop()
        self._follower.stop()
        self.session = self.now.say(f"stopped at {growing.place}")

    def carry_out(self, command: Command, text: str) -> None:
        """Do to the session what a command does; what takes long is left to `wait_for`.

        Raises:
            StepgradError: what the command has to say against it.
        """
        assert command.act is not None, "bound to commands that act"
        if not command.long:
            try:
                self.session = command.act(self.now, text)
            except MemoryError:
                self.session = self.now.say(str(NotEnoughMemoryError()))
            return
        work = Work(partial(command.act, self.now, text))
        if work.wait(PATIENCE):
            self.session = work.result()
        else:
            self._work = work

    def wait_for(self, command: Command) -> None:
        """If a command is not done yet, show its progress until it is done or cancelled."""
        if self._work is not None:
            self.app.push_screen(WaitDialog(command.brief, self._work), self._waited)

    def _waited(self, done: bool | None) -> None:
        assert self._work is not None, "it was waited for"
        work, self._work = self._work, None
        if not done:
            self.session = self.now.say("cancelled")
            return
        try:
            self.session = work.result()
        except StepgradError as error:
            self.app.notify(str(error), severity="error", markup=False)
