"""What comes up over the debugger and goes away again: the help, and the question where to go."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from stepgrad.replay.commands import COMMANDS
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
}

_LEGEND = """
Lowercase goes forward, the capital goes back. An event is one edge of the chain rule.

▶ forward   ◀ backward   ✕ zero   ✎ update
–  no gradient has come yet      0  it came, and is zero
∅  none will ever come           ▁▂▃▄▅▆▇█  its size, a power of ten each
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


class GotoDialog(ModalScreen[str]):
    """Ask for a position, and explain a bad one where it is typed.

    `check` says what is wrong with an answer, or None.
    """

    BINDINGS = [("escape", "dismiss", "close")]

    def __init__(self, check: Callable[[str], str | None]) -> None:
        super().__init__()
        self._check = check

    def compose(self) -> ComposeResult:
        """Show the question."""
        with Vertical(id="goto") as box:
            box.border_title = "go to"
            yield Input(placeholder="14, 50%, step 20, or a name", compact=True)
            yield Static(id="problem")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer, or say why not."""
        problem = self._check(event.value) if event.value.strip() else None
        if problem is None:
            self.dismiss(event.value)
        else:
            self.query_one("#problem", Static).update(Content(problem))
