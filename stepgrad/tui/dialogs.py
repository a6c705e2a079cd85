"""What comes up over the debugger and goes away again: questions, and answers to read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, ProgressBar, Static

from stepgrad.replay.commands import Command
from stepgrad.tui.work import Work


class AskDialog(ModalScreen[str]):
    """Ask for what a command wants to know, and explain a bad answer where it is typed.

    `check` says what is wrong with an answer, or None. A `question` of the moment is put in full.
    """

    BINDINGS = [("escape", "dismiss", "close")]

    def __init__(
        self, command: Command, check: Callable[[str], str | None], question: str = ""
    ) -> None:
        super().__init__()
        self._command = command
        self._check = check
        self._question = question

    def compose(self) -> ComposeResult:
        """Show the question."""
        with Vertical(id="ask") as box:
            box.border_title = Content(self._command.help)
            if self._question:
                yield Static(Content(self._question), id="question")
            yield Input(placeholder=self._command.asks, compact=True)
            yield Static(id="problem")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer, or say why not."""
        problem = self._check(event.value)
        if problem is None:
            self.dismiss(event.value)
        else:
            self.query_one("#problem", Static).update(Content(problem))


class WaitDialog(ModalScreen[bool]):
    """Wait for work, and show how far it is; answers whether it was waited for to the end."""

    BINDINGS = [("escape,ctrl+c", "cancel", "cancel")]

    def __init__(self, title: str, work: Work[Any]) -> None:
        super().__init__()
        self._title = title
        self._work = work

    def compose(self) -> ComposeResult:
        """Show the bar."""
        with Vertical(id="wait") as box:
            box.border_title = Content(self._title)
            box.border_subtitle = "Esc cancels"
            yield ProgressBar(total=1, show_eta=False)

    def on_mount(self) -> None:
        """Look at the work from time to time."""
        self._look()
        self.set_interval(1 / 20, self._look)

    def _look(self) -> None:
        if not self.is_current:  # it was left, and this call was on its way
            return
        if self._work.wait(0):
            self.dismiss(True)
        else:
            self.query_one(ProgressBar).update(progress=self._work.share)

    def action_cancel(self) -> None:
        """Give the work up."""
        self._work.stop()
        self.dismiss(False)

    def on_unmount(self) -> None:
        """Let no work go on that nobody waits for: the app may be quit from here."""
        if not self._work.wait(0):
            self._work.stop()


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
