"""Panels of many lines, of which only those in view are drawn: the tape and the source."""

from __future__ import annotations

from abc import abstractmethod

from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

from stepgrad.tui.render.source import source_line
from stepgrad.tui.render.tape import scope_row, tape_lines, tape_row
from stepgrad.tui.widgets.panel import Panel


class Lines(ScrollView, Panel, can_focus=False):
    """A scrolling panel that draws line by line and keeps the line of interest in view."""

    ALLOW_SELECT = False

    @property
    @abstractmethod
    def count(self) -> int:
        """How many lines there are."""

    @abstractmethod
    def line(self, number: int, width: int) -> Content:
        """Draw a line, counted from 0."""

    @abstractmethod
    def line_of_interest(self) -> int | None:
        """The line to keep in view."""

    def render_line(self, y: int) -> Strip:
        """Draw a line of the view."""
        width, number = self.size.width, y + self.scroll_offset.y
        if number >= self.count:
            return Strip.blank(width, self.rich_style)
        line = self.line(number, width)
        [strip] = Visual.to_strips(self, line, width, 1, self.visual_style, pad=True) or [
            Strip.blank(width, self.rich_style)
        ]
        return strip

    def on_resize(self) -> None:
        """Keep the line of interest in view."""
        self.show()

    def show(self) -> None:
        """Scroll to the line of interest."""
        if not self.size:
            return
        self.virtual_size = Size(self.size.width, self.count)
        line = self.line_of_interest()
        if line is not None:
            height, top = self.size.height, self.scroll_offset.y
            if not top <= line < top + height:
                self.scroll_to(y=max(0, line - height // 2), animate=False, immediate=True)
        self.refresh()


class Tape(Lines, can_focus=False):
    """The nodes of the scene, in the order of creation; a click selects one."""

    BORDER_TITLE = "tape"

    @property
    def count(self) -> int:
        """One line for each node, and for each scope."""
        return len(self._lines)

    @property
    def _lines(self) -> tuple[int | str, ...]:
        state = self.state
        return tape_lines(state.recording, state.scene)

    def line(self, number: int, width: int) -> Content:
        """Draw a node, or the scope of those that follow."""
        node = self._lines[number]
        if isinstance(node, str):
            return scope_row(node, width)
        return tape_row(self.now, node, width)

    def line_of_interest(self) -> int | None:
        """The line of the node that is spoken of."""
        lines, subject = self._lines, self.now.subject
        return None if subject is None or subject not in lines else lines.index(subject)

    def on_click(self, event: events.Click) -> None:
        """Select the node that a person pointed at."""
        number = event.get_content_offset_capture(self).y + self.scroll_offset.y
        node = self._lines[number] if 0 <= number < self.count else None
        if isinstance(node, int):
            self.post_message(self.NodeSelected(node))


class SourcePanel(Lines, can_focus=False):
    """The text of the scenario, with the line that the cursor is on."""

    BORDER_TITLE = "source"

    @property
    def count(self) -> int:
        """One line for each of the text."""
        source = self.state.recording.source
        return len(source.text.splitlines()) if source else 0

    def line(self, number: int, width: int) -> Content:
        """Draw a line of the text."""
        source = self.state.recording.source
        assert source is not None, "without a source there are no lines"
        return source_line(source, number + 1, width, current=number == self.line_of_interest())

    def line_of_interest(self) -> int | None:
        """The line that made the node that is spoken of."""
        subject = self.now.subject
        line = None if subject is None else self.state.node(subject).place.line
        return None if line is None else line - 1
