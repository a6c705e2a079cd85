"""How a screen turns knobs: by keys, a count before them, or the mouse, without falling behind.

A turn is carried out at once. Turns that come before its result is painted wait for that, and are
then carried out as one: whoever holds a key down sees every number that there is time to show.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from textual import events
from textual.widget import Widget

from stepgrad.errors import StepgradError
from stepgrad.replay.commands import turning
from stepgrad.replay.commands.table import BY_NAME, Command
from stepgrad.replay.session import Session
from stepgrad.scenario.about import About
from stepgrad.tui.keymap import keys_in_force
from stepgrad.tui.screen.teaching import TeachingScreen
from stepgrad.tui.widgets.slider import Slider
from stepgrad.tui.work import Growing

_MOST_DIGITS = 4

_View = tuple[Session, Widget | None]
"""A session, and the panel that is shown alone."""


class _Turn(NamedTuple):
    """Something that a command does to the session, and how many times."""

    command: Command
    act: Callable[[Session, int], Session]
    times: int


class _Count(NamedTuple):
    """Digits that may be a count: what was in view before them, and what they have shown."""

    digits: str
    before: _View
    after: _View


class TurningScreen(TeachingScreen):
    """A screen with knobs."""

    def __init__(self, session: Session, growing: Growing | None, says: About) -> None:
        super().__init__(session, growing, says)
        self._due: dict[str, _Turn] = {}
        self._turning = False
        self._count: _Count | None = None

    @property
    def view(self) -> _View:
        """What is in view, however much of a recording is there by now."""
        return replace(self.now, progress=None), self.maximized

    def perform(self, command: Command) -> None:
        """Turn a knob, or carry out another command."""
        if command.counts:
            assert command.act is not None, "it acts on the session"
            count = self._take_count()
            self._turn(_Turn(command, command.act, count))
        else:
            super().perform(command)

    def count(self, command: Command, before: _View) -> None:
        """Take note of a command that a digit stands for: before a knob, the digit is a count.

        The command has been carried out already, so that no other use of a digit has to wait.
        `before` is what was in view before it.
        """
        keys = keys_in_force(self).get(command.name, ())
        digit = next((key for key in keys if len(key) == 1 and key.isdecimal()), "")
        self._count_digit(digit, before)

    def on_key(self, event: events.Key) -> None:
        """Take note of a digit that no command has."""
        if event.character is not None and event.character.isdecimal():
            self._count_digit(event.character, self.view)

    def _count_digit(self, digit: str, before: _View) -> None:
        counted = self._count
        if counted is None or counted.after != before:
            counted = _Count("", before, before)
        digits = f"{counted.digits}{digit}"[-_MOST_DIGITS:]
        known = digit and digits.strip("0")  # a 0 alone is no count
        self._count = _Count(digits, counted.before, self.view) if known else None

    def _take_count(self) -> int:
        """The count typed right before a knob, or 1; what its digits have shown is taken back."""
        counted, self._count = self._count, None
        if counted is None or counted.after != self.view:
            return 1
        self.session, self.maximized = counted.before
        self.focus_panel()
        return int(counted.digits)

    def on_slider_nudged(self, message: Slider.Nudged) -> None:
        """Turn a knob by a wheel."""
        command = BY_NAME["nudge_up" if message.count > 0 else "nudge_down"]
        assert command.act is not None, "it acts on the session"
        self._turn(_Turn(command, command.act, abs(message.count)))

    def on_slider_set(self, message: Slider.Set) -> None:
        """Set a knob to where it was dragged; a drag is undone as a whole."""
        act = partial(turning.set_knob, x=message.x)
        self._turn(_Turn(BY_NAME["edit"], act, int(message.begins)))

    def _turn(self, turn: _Turn) -> None:
        knob, due = turn.command.name, self._due.get(turn.command.name)
        self._due[knob] = turn if due is None else turn._replace(times=due.times + turn.times)
        if not self._turning:
            self.carry_out_turns()

    def carry_out_turns(self) -> None:
        """Carry out all that is due, as one."""
        turns, self._due = [*self._due.values()], {}
        if turns and self.is_current:
            self._turning = True
            try:
                commands = [turn.command for turn in turns for _ in range(max(turn.times, 1))]
                self.work(partial(_all, turns, self.now), *commands)
            except StepgradError as error:
                self.session = self.now.say(str(error))
            self.call_after_refresh(self._turned)

    def _turned(self) -> None:
        self._turning = False
        self.carry_out_turns()


def _all(turns: list[_Turn], session: Session) -> Session:
    for turn in turns:
        session = turn.act(session, turn.times)
    return session
