"""What all panels have in common."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from stepgrad.replay.cursor import Cursor
from stepgrad.replay.state import State


class Panel(Widget):
    """A view of the screen's cursor and selection, which reach it by data binding."""

    cursor: reactive[Cursor | None] = reactive[Cursor | None](None)
    selected: reactive[int | None] = reactive[int | None](None)

    @dataclass
    class NodeSelected(Message):
        """A person pointed at a node."""

        node: int

    @dataclass
    class Seek(Message):
        """A person pointed at a position."""

        position: int

    def watch_cursor(self) -> None:
        """Show another position."""
        if self.cursor is not None:
            self.show()

    def watch_selected(self) -> None:
        """Show another selection."""
        if self.cursor is not None:
            self.show()

    def show(self) -> None:
        """Bring what is kept for drawing up to date with the cursor and the selection."""

    @property
    def state(self) -> State:
        """The state at the cursor."""
        assert self.cursor is not None, "panels are shown by a screen that has a cursor"
        return self.cursor.state

    @property
    def subject(self) -> int:
        """The node to speak of: the selected one, else the one that the last event is about."""
        if self.selected is not None:
            return self.selected
        state = self.state
        focus = state.focus
        if focus is None:
            focus = next(iter(state.scene), 0)
        return focus
