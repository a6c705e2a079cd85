"""What comes up over the debugger and goes away again: the help, and the question where to go."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from stepgrad.replay.commands import COMMANDS, Command
from stepgrad.tui.render import ink

_GLYPHS = {
    "right": "→",
    "left": "←",
    "up": "↑",
    "down": "↓",
    "enter": "Enter",
    "escape": "Esc",
    "home": "Home",
    "end": "End",
    "f1": "F1",
    "f5": "F5",
    "space": "Space",
}

_LEGEND = """
Lowercase goes forward, the capital goes back. An event is one edge of the chain rule.

▶ forward   ◀ backward   × zero   △ update
–  no gradient has come yet      0  it came, and is zero
∅  none will ever come           ▁▂▃▄▅▆▇█  its size, a power of ten each
●  a stop                        ◆  a bookmark
"""


def key_name(key: str) -> str:
    """How a key is written for a person."""
    return _GLYPHS.get(key, key)


class HelpScreen(ModalScreen[None]):
    """Every key and what it does, from the table of commands."""

    BINDINGS = [("escape,q,?,f1", "dismiss", "close")]

    def compose(self) -> ComposeResult:
        """Show the table."""
        rows = [
            [(f"{' '.join(map(key_name, command.keys)):>9}  ", ink.CURRENT), (command.help, "")]
            for command in COMMANDS
        ]
        with VerticalScroll(id="help") as box:
            box.border_title = "stepgrad: keys"
            box.border_subtitle = "Esc closes"
            yield Static(ink.lines(*rows))
            yield Static(Content(_LEGEND))


class AskDialog(ModalScreen[str]):
    """Ask for a text, and explain a bad one where it is typed.

    `check` says what is wrong with an answer, or None.
    """

    BINDINGS = [("escape", "dismiss", "close")]

    def __init__(self, command: Command, check: Callable[[str], str | None]) -> None:
        super().__init__()
        self._command = command
        self._check = check

    def compose(self) -> ComposeResult:
        """Show the question."""
        with Vertical(id="ask") as box:
            box.border_title = Content(self._command.help)
            yield Input(placeholder=self._command.asks, compact=True)
            yield Static(id="problem")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer, or say why not."""
        problem = self._check(event.value)
        if problem is None:
            self.dismiss(event.value)
        else:
            self.query_one("#problem", Static).update(Content(problem))
