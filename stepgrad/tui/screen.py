"""The debugger's screen: it owns the session, and hands it down."""

from __future__ import annotations

from functools import partial
from pathlib import PurePath

from textual.app import ComposeResult
from textual.binding import Binding
from textual.reactive import reactive
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Footer

from stepgrad.errors import StepgradError
from stepgrad.recording.recording import Recording
from stepgrad.replay.commands import COMMANDS, Command
from stepgrad.replay.conditions import find
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.session import Session
from stepgrad.scenario.load import ScenarioFile
from stepgrad.tui.dialogs import AskDialog, HelpScreen, key_name
from stepgrad.tui.widgets.graph import GraphPanel
from stepgrad.tui.widgets.lists import SourcePanel, Tape
from stepgrad.tui.widgets.panel import Panel
from stepgrad.tui.widgets.text import Chain, Header, NodePanel, Timeline

_TEXTUAL = {",": "comma"}  # it separates keys, so it has to be spelt


def _binding(command: Command) -> Binding:
    """Bind a command of the table; the footer shows those that have a label."""
    return Binding(
        ",".join(_TEXTUAL.get(key, key) for key in command.keys),
        f"act('{command.name}')" if command.act else command.name,
        command.label or command.help,
        show=bool(command.label),
        key_display=key_name(command.keys[0]),
        tooltip=command.help,
        id=command.name,
    )


BY_NAME = {command.name: command for command in COMMANDS}

SPEEDS = (1, 2, 4, 8, 16, 32)
"""Events a second, when playing."""


class DebuggerScreen(Screen[None]):
    """The panels, around one session."""

    BINDINGS = [_binding(command) for command in COMMANDS]
    HORIZONTAL_BREAKPOINTS = [(0, "-slim"), (80, "-narrow"), (120, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (20, "-middling"), (36, "-high")]
    AUTO_FOCUS = ""

    session: reactive[Session | None] = reactive[Session | None](None)

    def __init__(self, recording: Recording, scenario: ScenarioFile | None = None) -> None:
        super().__init__()
        self._scenario = scenario
        self._speed = 1
        self._player: Timer | None = None
        self.set_reactive(DebuggerScreen.session, Session(Cursor(recording)))

    def compose(self) -> ComposeResult:
        """Lay the panels out; the style sheet says where."""
        recording = self.now.recording
        name = PurePath(recording.source.path).name if recording.source else recording.title
        panels: list[Panel] = [
            Header(name, self._scenario, id="header"),
            Tape(id="tape"),
            NodePanel(self._scenario.lesson if self._scenario else "", id="node"),
            SourcePanel(id="source"),
            GraphPanel(id="graph"),
            Chain(id="chain"),
            Timeline(id="timeline"),
        ]
        for panel in panels:
            panel.add_class("panel")
            yield panel.data_bind(DebuggerScreen.session)
        yield Footer(show_command_palette=False)

    @property
    def now(self) -> Session:
        """The session."""
        assert self.session is not None, "set when the screen is made"
        return self.session

    def action_act(self, name: str) -> None:
        """Carry out a command of the table, after asking for what it wants to know."""
        command = BY_NAME[name]
        if command.asks:
            self.app.push_screen(AskDialog(command, partial(self._problem, command)))
        else:
            self._act(command, "")

    def _act(self, command: Command, text: str) -> None:
        assert command.act is not None, "bound to commands that act"
        self._pause()
        self.session = command.act(self.now, text)

    def _problem(self, command: Command, text: str) -> str | None:
        """Carry out a command with what was typed; return what is wrong with it, if anything."""
        try:
            self._act(command, text)
        except StepgradError as error:
            return str(error)
        return None

    def action_play(self) -> None:
        """Step by itself, or stop doing so."""
        if self._player is not None:
            self._pause()
            self.session = self.now.say("paused")
        else:
            self._player = self.set_interval(1 / SPEEDS[self._speed], self._tick)
            self.session = self.now.say(f"playing, {SPEEDS[self._speed]} events a second")

    def action_faster(self) -> None:
        """Play faster."""
        self._change_speed(1)

    def action_slower(self) -> None:
        """Play slower."""
        self._change_speed(-1)

    def _change_speed(self, by: int) -> None:
        self._speed = max(0, min(self._speed + by, len(SPEEDS) - 1))
        self.session = self.now.say(f"{SPEEDS[self._speed]} events a second: Space plays")
        if self._player is not None:
            self._pause()
            self.action_play()

    def _tick(self) -> None:
        """Play an event; stop at the end, and where there is a stop."""
        now = self.now
        found = find(now.recording, now.stops, now.cursor.position, forward=True)
        onward = now.cursor.step()
        if found is not None and found[0] + 1 == onward.position:
            self._pause()
            self.session = now.go(onward, f"stopped: {found[1].text}")
        elif onward == now.cursor:
            self._pause()
            self.session = now.say("the end")
        else:
            self.session = now.go(onward, now.said)

    def _pause(self) -> None:
        if self._player is not None:
            self._player.stop()
            self._player = None

    def action_help(self) -> None:
        """Show what the keys do."""
        self.app.push_screen(HelpScreen())

    def action_quit(self) -> None:
        """Leave."""
        self.app.exit()

    def on_panel_node_selected(self, message: Panel.NodeSelected) -> None:
        """Select a node that was clicked; a second click lets go of it."""
        self.session = self.now.select(None if message.node == self.now.selected else message.node)

    def on_panel_seek(self, message: Panel.Seek) -> None:
        """Go where the timeline was clicked."""
        self.session = self.now.go(self.now.cursor.seek(message.position))
