"""The Textual app: one screen on one recording."""

from __future__ import annotations

from textual.app import App

from stepgrad.recording.recording import Recording
from stepgrad.scenario.load import ScenarioFile
from stepgrad.tui.render import ink
from stepgrad.tui.screen import DebuggerScreen


class DebuggerApp(App[None]):
    """A debugger for a recording; `scenario` adds its checks."""

    TITLE = "stepgrad"
    CSS_PATH = "debugger.tcss"
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, recording: Recording, scenario: ScenarioFile | None = None) -> None:
        super().__init__()
        self._recording = recording
        self._scenario = scenario

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """What our own colours are in the theme at hand."""
        return ink.DARK if self.current_theme.dark else ink.LIGHT

    def on_mount(self) -> None:
        """Open the debugger."""
        self.push_screen(DebuggerScreen(self._recording, self._scenario))
