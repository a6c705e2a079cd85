"""What opens over the debugger and closes again: long work, and reports to read."""

from __future__ import annotations

from typing import Any, TypeVar

from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget

from stepgrad.replay.commands.table import COMMANDS
from stepgrad.tui.work import Work

Result = TypeVar("Result")

_CLOSING = [(command.name, ",".join(command.keys)) for command in COMMANDS
            if command.report or command.name in ("help", "quit")]  # fmt: skip


class Dialog(ModalScreen[Result]):
    """A dialog closes once, however many closing keys arrive together."""

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Close, and answer; do nothing if the dialog is not in front."""
        return super().dismiss(result) if self.is_active else AwaitComplete()


class WaitDialog(Dialog[bool]):
    """Wait for work, and show its progress; the answer is whether it was finished."""

    BINDINGS = [Binding("escape,ctrl+c", "cancel", "cancel", priority=True)]

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


class ReportDialog(Dialog[Result]):
    """A report: read, scroll, close; the key that opens it also closes it."""

    FRAME = 5
    """The cells of a line that its border, padding and scrollbar take."""

    BINDINGS = [
        Binding("escape", "dismiss", "close", priority=True),
        # With the ids of commands, so that the keys in force close what they open.
        *(Binding(key, "dismiss", "close", id=name, priority=True) for name, key in _CLOSING),
    ]
    HINT = "Esc closes"
    """What the border says about keys."""

    def on_mount(self) -> None:
        """Say that there is more further down, as long as there is."""
        box = self.query_one("#report")

        def point() -> None:
            self.call_after_refresh(pointed)  # once it is laid out

        def pointed() -> None:
            more = box.scroll_offset.y < box.max_scroll_y
            box.border_subtitle = "↓ PgDn more · " * more + self.HINT

        for moved in ("scroll_y", "virtual_size"):
            self.watch(box, moved, point)


class ReportScreen(ReportDialog[None]):
    """A report that is text."""

    BINDINGS = [Binding("enter", "dismiss", "close", priority=True)]

    def __init__(self, title: str, *parts: Widget) -> None:
        super().__init__()
        self._title = title
        self._parts = parts

    def compose(self) -> ComposeResult:
        """Show its parts below each other."""
        with VerticalScroll(id="report") as box:
            box.border_title = Content(self._title)
            yield from self._parts
