"""The Textual app: the gallery, or one debugger on one recording; keys and themes for both."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from textual import events
from textual.app import SystemCommand
from textual.screen import Screen

from stepgrad.course.folder import Home, course_of, home_of
from stepgrad.course.lessons import Course, ours
from stepgrad.errors import StepgradError
from stepgrad.recording.recording import Recording
from stepgrad.replay.commands import table
from stepgrad.replay.session import Session
from stepgrad.scenario.load import ScenarioFile
from stepgrad.scenario.rerun import session_on
from stepgrad.tui.gallery.learning import LessonScreen, learning
from stepgrad.tui.keymap import KeyedApp, binding
from stepgrad.tui.screen.debugger import DebuggerScreen
from stepgrad.tui.screen.working import Onward
from stepgrad.tui.themes import OURS, check_theme, variables
from stepgrad.tui.widgets.prompt import Prompt
from stepgrad.tui.work import Growing


class DebuggerApp(KeyedApp):
    """A debugger for a recording; without one, a gallery of lessons to open.

    `scenario` adds its checks and its lesson; `growing` is what still adds to the recording,
    `position` is where to begin, and `said` the first message; `original` is the recording without
    edits, if this one has some. `course` are the lessons of the gallery, if not those that ship.
    `theme` is a name of
    `available_themes`, or empty for the default. `keys` is the file with a person's own keys, if
    any.

    Raises:
        ThemeError: there is no such theme.
    """

    TITLE = "stepgrad"
    CSS_PATH = "debugger.tcss"
    COMMANDS = set()  # each screen has its own
    BINDINGS = [
        binding(command, "command_palette")
        for command in table.COMMANDS
        if command.name == "palette"
    ]

    def __init__(  # noqa: PLR0913 - one for each thing that can be chosen
        self,
        recording: Recording | None = None,
        scenario: ScenarioFile | None = None,
        growing: Growing | None = None,
        *,
        theme: str = "",
        keys: Path | None = None,
        position: int = 0,
        said: str = "",
        original: Recording | None = None,
        course: Course | None = None,
    ) -> None:
        super().__init__()
        self._course = course
        self._session: Session | None = None
        self._home: Home | None = None
        if recording is not None:
            self._session = session_on(recording, scenario, position, original).say(said)
        self._scenario = scenario
        self._growing = growing
        self._keys = keys
        self._early: list[events.Key] | None = []
        self._loop_at_work: asyncio.AbstractEventLoop | None = None
        for each in OURS.values():
            self.register_theme(each)
        if theme:
            check_theme(theme)
            self.theme = theme

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """What our own colours are in the theme at hand."""
        return variables(self.current_theme, no_color=self.no_color)

    @property
    def escape_to_minimize(self) -> bool:
        """Esc shows all panels again, but first it leaves a prompt."""
        return self.focused is None or not isinstance(self.focused.parent, Prompt)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What of Textual's own commands is of use here: the rest is in our table."""
        for command in super().get_system_commands(screen):
            if command.title in ("Theme", "Screenshot"):
                yield command

    async def on_event(self, event: events.Event) -> None:
        """Handle an event; keys wait until there is a screen for them."""
        if isinstance(event, events.Key) and self._early is not None:
            self._early.append(event)
        else:
            await super().on_event(event)

    def check_action(self, action: str, _: tuple[object, ...]) -> bool:
        """Leave a dialog to its own keys."""
        return action != "command_palette" or not self.screen.is_modal

    def on_mount(self) -> None:
        """Take over a person's keys and open the first screen; leaving it leaves the app.

        From a lesson one can go on to the next.
        """
        # A key takes many turns: it should not wait the usual 5 ms for each while a thread works.
        sys.setswitchinterval(0.001)
        self._loop_at_work = asyncio.get_running_loop()
        if self._keys is not None:
            self.load_keys(self._keys)
        if self._session is None:
            from stepgrad.tui.gallery.screen import GalleryScreen  # noqa: PLC0415 - slow, and often unused

            screen: Screen[Any] = GalleryScreen(self._course or ours())
        else:
            screen = self._debugger(self._session)
        # Not before the app is mounted: until then it throws away what screens draw.
        self.call_later(self._open, screen)

    def _debugger(self, session: Session) -> DebuggerScreen:
        """Return the screen for a session; what is done of a lesson of the course is noted."""
        self._home = home_of(session.recording, self._scenario)
        if self._home is None:
            return DebuggerScreen(session, self._scenario, self._growing)
        learner = learning(self.notify, self._home.kept)
        return LessonScreen(self._home.lesson, learner, session, self._scenario, self._growing)

    async def _open(self, screen: Screen[Any]) -> None:
        await self.push_screen(screen, partial(self._left, screen))
        early, self._early = self._early or [], None
        for key in early:
            await self.on_event(key)

    async def _left(self, screen: Screen[Any], onward: Onward | None) -> None:
        if not onward or not isinstance(screen, LessonScreen):
            self.exit()
            return
        from stepgrad.tui.gallery.course import Guide  # noqa: PLC0415 - rarely wanted

        try:
            course = course_of(self._home) if self._home else ours()
        except StepgradError as error:
            self.exit(message=str(error))
            return
        await Guide(self, course, screen.learner, lambda _: self.exit()).go_on(screen.lesson_name)

    def leave(self) -> bool:
        """Exit, called from a signal handler; return whether there is a screen to leave."""
        if self._loop_at_work is None:
            return False
        self._loop_at_work.call_soon_threadsafe(self.exit)
        return True
