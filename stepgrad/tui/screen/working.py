"""How a screen carries out commands on its session: it asks, and the keys never wait for work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

from textual.binding import Binding
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import Widget

from stepgrad.errors import NotEnoughMemoryError, StepgradError
from stepgrad.replay.commands.table import Command
from stepgrad.replay.session import Session
from stepgrad.tui.widgets.prompt import Prompt
from stepgrad.tui.work import PATIENCE, Growing, Work

FOLLOW = 8
"""How many times a second a recording is read while it is being made."""


Onward = Literal["next"]
"""What a screen answers when a person wants what comes next, such as another lesson."""


class WorkingScreen(Screen[Onward | None]):
    """A screen that owns a session, perhaps on a recording that is still `growing`."""

    session: reactive[Session | None] = reactive[Session | None](None, repaint=False)

    def __init__(self, session: Session, growing: Growing | None = None) -> None:
        super().__init__()
        self._growing = growing
        self.prompt = Prompt(id="prompt")
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

    def perform(self, command: Command) -> None:
        """Carry out a command, after asking for what it wants to know."""
        if command.question is not None:
            self.session, question = command.question(self.now)
            if question:
                self._ask(command, question)
        elif command.asks:
            self._ask(command)
        else:
            try:
                self._carry_out(command)
            except StepgradError as error:  # there is no prompt to say it in
                self.session = self.now.say(str(error))

    def check_action(self, action: str, _: tuple[object, ...]) -> bool:
        """Leave its keys to what has the focus: all to a prompt, to a panel those that it binds."""
        bindings = self.focused.BINDINGS if self.focused else []
        bound = {each.id for each in bindings if isinstance(each, Binding)}
        return not self.prompt.asks and action not in bound

    def carried_out(self, *commands: str) -> None:
        """Take note of commands that have led to the session at hand."""

    def _ask(self, command: Command, question: str = "") -> None:
        """Ask for what a command wants to know, and carry it out with that.

        If that hides what is shown alone, all panels are shown meanwhile.
        """
        self.set_class(command.hides, "-predicting")
        self._alone = self.maximized
        if self._alone is not None and _hidden(self._alone):
            self.maximized = None
        form = command.typed(self.now)
        self.prompt.ask(command, question, form, partial(self._problem, command), self._asked)

    def _asked(self) -> None:
        """Show again what a question has hidden, and give the keys back to a panel alone."""
        self.remove_class("-predicting")
        self.maximized = self._alone
        if self.now.secret is not None:  # the prediction is over
            self.session = self.now.say("", secret=None)
        self.focus_panel()

    def _problem(self, command: Command, text: str) -> str | None:
        """Carry out a command with what was typed; return what is wrong with it, if anything."""
        try:
            self._carry_out(command, text)
        except StepgradError as error:
            return str(error)
        return None

    def focus_panel(self) -> None:
        """Give the keys to a panel that is shown alone and has text to scroll; else to no one."""
        panel = self.maximized
        self.set_focus(panel if panel is not None and panel.focusable else None)

    def _carry_out(self, command: Command, *answer: str) -> None:
        """Do to the session what a command does; show the progress of what takes long.

        Raises:
            StepgradError: what the command has to say against the answer.
        """
        assert command.act is not None, "the screen does what is not about a session"
        act = partial(command.act, self.now, *answer)
        if not command.long:
            try:
                self.session = act()
            except MemoryError:
                self.session = self.now.say(str(NotEnoughMemoryError()))
            self.carried_out(command.name)
            return
        self.work(act, command)

    def work(self, act: Callable[[], Session], *commands: Command) -> None:
        """Do what may take a while for commands, and go on with the result.

        Raises:
            StepgradError: what it has to say, if it says so quickly.
        """
        work = Work(act)
        if work.wait(PATIENCE):
            self._worked(work, commands)
        else:
            from stepgrad.tui.dialogs.dialog import WaitDialog  # noqa: PLC0415 - most work is quick

            waited = partial(self._waited, work, commands)
            self.app.push_screen(WaitDialog(commands[-1].brief, work), waited)

    def _worked(self, work: Work[Session], commands: Sequence[Command]) -> None:
        self.session = work.result()
        self.carried_out(*(command.name for command in commands))

    def _waited(self, work: Work[Session], commands: Sequence[Command], done: bool | None) -> None:
        if not done:
            self.session = self.now.say("cancelled")
            return
        try:
            self._worked(work, commands)
        except StepgradError as error:
            self.app.notify(str(error), severity="error", markup=False)


def _hidden(panel: Widget) -> bool:
    """Whether the style sheet hides what a panel has to show."""
    return not panel.visible or panel.styles.text_opacity == 0
