"""What opens over the debugger and closes again: questions, and reports to read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from stepgrad.replay.commands import COMMANDS, Command
from stepgrad.tui.render import ink
from stepgrad.tui.work import Work

Result = TypeVar("Result")

_CLOSING = [(command.name, ",".join(command.keys)) for command in COMMANDS
            if command.report or command.name == "quit"]  # fmt: skip

_AROUND_TITLE = 8
"""Cells beside the title of a question: its box, and the margin of that."""


class Dialog(ModalScreen[Result]):
    """A dialog closes once, however many closing keys arrive together."""

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Close, and answer; do nothing if the dialog is not in front."""
        return super().dismiss(result) if self.is_active else AwaitComplete()


class AskDialog(Dialog[str]):
    """Ask for what a command wants to know, and explain a bad answer where it is typed.

    `check` says what is wrong with an answer, or None. A `question` is shown above the field.
    """

    def __init__(
        self, command: Command, check: Callable[[str], str | None], question: str = ""
    ) -> None:
        super().__init__()
        self._command = command
        self._check = check
        self._question = question
        self._field = _Field()

    def compose(self) -> ComposeResult:
        """Show the question."""
        with Vertical(id="ask") as box:
            roomy = self.app.size.width >= len(self._command.help) + _AROUND_TITLE
            box.border_title = Content(self._command.help if roomy else self._command.brief)
            if self._question:
                yield Static(Content(self._question), id="question")
            yield self._field
            yield Static(Content.styled(self._command.asks, ink.QUIET))
            yield Static(id="problem")

    def answer(self, text: str) -> None:
        """Answer, or say why not."""
        problem = self._check(text)
        if problem is None:
            self.dismiss(text)
        else:
            self.query_one("#problem", Static).update(Content(problem))

    def take(self, event: events.Key) -> None:
        """Take a key that was pressed before there was a field to type in."""
        if not (self._field.knows(event) and self._field.has_focus):
            event.prevent_default()
            again = events.Key(event.key, event.character)
            self._field.post_message(again.set_sender(self._field))  # else it would end there


class _Field(Input):
    """The line of an `AskDialog` to type in.

    Enter and Esc are heard at once, so that keys which arrive together with them are neither taken
    for a part of the answer nor lost, but go to what is then in front.
    """

    def __init__(self) -> None:
        super().__init__(compact=True)
        self._passed_on: list[events.Key] = []

    def knows(self, event: events.Key) -> bool:
        """Whether a key comes from here, to be looked up among the bindings."""
        known = event in self._passed_on
        if known:
            self._passed_on.remove(event)
        return known

    def on_key(self, event: events.Key) -> None:
        """Leave the dialog, or let something be typed."""
        dialog = self.screen
        assert isinstance(dialog, AskDialog), "it is a part of one"
        if not dialog.is_active:
            self.app.post_message(events.Key(event.key, event.character))
        elif event.key == "enter":
            dialog.answer(self.value)
        elif event.key == "escape":
            dialog.dismiss()
        else:
            self._passed_on += [] if event.is_printable else [event]
            return
        event.stop()
        event.prevent_default()


class WaitDialog(Dialog[bool]):
    """Wait for work, and show its progress; the answer is whether it was finished."""

    BINDINGS = [("escape,ctrl+c", "cancel", "cancel")]

    def __init__(self, title: str, work: Work[Any]) -> None:
        super().__init__()
        self._title = title
        self._work = work

    def compose(self) -> ComposeResult:
        """Show the bar."""
        from textual.widgets import ProgressBar  # noqa: PLC0415 - slow, and often unused

        with Vertical(id="wait") as box:
            box.border_title = Content(self._title)
            box.border_subtitle = "Esc cancels"
            self._bar = ProgressBar(total=1, show_eta=False)
            yield self._bar

    def on_mount(self) -> None:
        """Check the work at intervals."""
        self._look()
        self.set_interval(1 / 20, self._look)

    def _look(self) -> None:
        if self._work.wait(0):
            self.dismiss(True)
        else:
            self._bar.update(progress=self._work.share)

    def action_cancel(self) -> None:
        """Give the work up."""
        self._work.stop()
        self.dismiss(False)

    def on_unmount(self) -> None:
        """Stop the work if nothing waits for it: the app may be quit from here."""
        if not self._work.wait(0):
            self._work.stop()


class ReportScreen(Dialog[None]):
    """A report: read, scroll, close."""

    BINDINGS = [
        Binding("escape,enter", "dismiss", "close"),
        # With the ids of commands, so that the keys in force close what they open.
        *(Binding(key, "dismiss", "close", id=name) for name, key in _CLOSING),
    ]

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
