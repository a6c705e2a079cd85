"""What comes up over the debugger and goes away again: questions, and answers to read."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from stepgrad.replay.commands import Command


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


class ReportScreen(ModalScreen[None]):
    """An answer that needs more room than a line: read, scroll, close."""

    BINDINGS = [("escape,q,enter,x,D", "dismiss", "close")]

    def __init__(self, title: str, text: Content) -> None:
        super().__init__()
        self._title = title
        self._text = text

    def compose(self) -> ComposeResult:
        """Show the answer."""
        with VerticalScroll(id="report") as box:
            box.border_title = Content(self._title)
            box.border_subtitle = "Esc closes"
            yield Static(self._text)
