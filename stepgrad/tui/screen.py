"""The debugger's screen: it owns the cursor, and hands it down."""

from __future__ import annotations

from pathlib import PurePath

from textual.app import ComposeResult
from textual.binding import Binding
from textual.reactive import reactive
from textual.screen import Screen
from textual.widgets import Footer

from stepgrad.recording.recording import Recording
from stepgrad.replay.commands import COMMANDS, Command, CommandError, goto
from stepgrad.replay.cursor import Cursor
from stepgrad.scenario.load import ScenarioFile
from stepgrad.tui.dialogs import GotoDialog, HelpScreen
from stepgrad.tui.widgets.graph import GraphPanel
from stepgrad.tui.widgets.lists import SourcePanel, Tape
from stepgrad.tui.widgets.panel import Panel
from stepgrad.tui.widgets.text import Chain, Header, NodePanel, Timeline


def _binding(command: Command) -> Binding:
    """Bind a command of the table; the footer shows those that have a label."""
    action = f"move('{command.name}')" if command.move else command.name
    return Binding(
        ",".join(command.keys),
        action,
        command.label or command.help,
        show=bool(command.label),
        key_display=command.keys[0],
        tooltip=command.help,
        id=command.name,
    )


class DebuggerScreen(Screen[None]):
    """The panels, around one cursor."""

    BINDINGS = [_binding(command) for command in COMMANDS]
    HORIZONTAL_BREAKPOINTS = [(0, "-slim"), (80, "-narrow"), (120, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (20, "-middling"), (36, "-high")]
    AUTO_FOCUS = ""

    cursor: reactive[Cursor | None] = reactive[Cursor | None](None)
    selected: reactive[int | None] = reactive[int | None](None)

    def __init__(self, recording: Recording, scenario: ScenarioFile | None = None) -> None:
        super().__init__()
        self._scenario = scenario
        self.set_reactive(DebuggerScreen.cursor, Cursor(recording))

    def compose(self) -> ComposeResult:
        """Lay the panels out; the style sheet says where."""
        source = self.here.recording.source
        name = PurePath(source.path).name if source else self.here.recording.title
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
            yield panel.data_bind(DebuggerScreen.cursor, DebuggerScreen.selected)
        yield Footer(show_command_palette=False)

    @property
    def here(self) -> Cursor:
        """The cursor."""
        assert self.cursor is not None, "set when the screen is made"
        return self.cursor

    def action_move(self, name: str) -> None:
        """Carry out a command that moves the cursor, and let go of the selection."""
        command = next(each for each in COMMANDS if each.name == name)
        assert command.move is not None, "bound to commands that move"
        self._go(command.move(self.here))

    def action_goto(self) -> None:
        """Ask where to go."""

        def go(where: str | None) -> None:
            if where:
                self._go(goto(self.here, where))

        def check(where: str) -> str | None:
            try:
                goto(self.here, where)
            except CommandError as error:
                return str(error)
            return None

        self.app.push_screen(GotoDialog(check), go)

    def action_select_up(self) -> None:
        """Select the node above."""
        self._select(-1)

    def action_select_down(self) -> None:
        """Select the node below."""
        self._select(1)

    def action_jump(self) -> None:
        """Go to where the selected node was made."""
        if self.selected is not None:
            self._go(self.here.seek(self.here.recording.history.made_at(self.selected)))

    def action_follow(self) -> None:
        """Let go of the selection."""
        self.selected = None

    def action_help(self) -> None:
        """Show what the keys do."""
        self.app.push_screen(HelpScreen())

    def action_quit(self) -> None:
        """Leave."""
        self.app.exit()

    def on_panel_node_selected(self, message: Panel.NodeSelected) -> None:
        """Select a node that was clicked; a second click lets go of it."""
        self.selected = None if message.node == self.selected else message.node

    def on_panel_seek(self, message: Panel.Seek) -> None:
        """Go where the timeline was clicked."""
        self._go(self.here.seek(message.position))

    def _go(self, cursor: Cursor) -> None:
        self.selected = None
        self.cursor = cursor

    def _select(self, by: int) -> None:
        scene = self.here.state.scene
        if not scene:
            return
        subject = self.selected if self.selected is not None else self.here.state.focus
        at = scene.index(subject) if subject in scene else -1
        self.selected = scene[max(0, min(at + by, len(scene) - 1))]
