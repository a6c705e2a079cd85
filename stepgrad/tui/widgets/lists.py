"""Panels of many lines, of which only those in view are drawn: the tape and the source."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from textual import events
from textual.content import Content
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

from stepgrad.replay.outline import ScopeLine
from stepgrad.replay.training import parameters
from stepgrad.tui.render import ink
from stepgrad.tui.render.parameters import parameter_row
from stepgrad.tui.render.source import source_line
from stepgrad.tui.render.tape import scope_row, tape_row
from stepgrad.tui.widgets.panel import Panel


class Lines(ScrollView, Panel, can_focus=False):
    """A scrolling panel that draws line by line and keeps the line of interest in view."""

    ALLOW_SELECT = False

    _drawn: Sequence[tuple[str, object]] = ()

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
        width, number = self.scrollable_content_region.width, y + self.scroll_offset.y
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
        """Scroll to the line of interest, and draw the lines that change."""
        if not self.size:
            return
        self.virtual_size = Size(self.scrollable_content_region.width, self.count)
        line = self.line_of_interest()
        height, top = self.size.height, self.scroll_offset.y
        if line is not None and not top <= line < top + height:
            self.scroll_to(y=max(0, line - height // 2), animate=False, immediate=True)
        before, self._drawn = self._drawn, self._view()
        if len(before) != len(self._drawn):
            self.refresh()
            return
        for y, (old, new) in enumerate(zip(before, self._drawn, strict=True)):
            if old != new:
                self.refresh(Region(0, y, self.scrollable_content_region.width, 1))

    def _view(self) -> Sequence[tuple[str, object]]:
        """What the lines in view look like."""
        width, top = self.scrollable_content_region.width, self.scroll_offset.y
        numbers = range(top, min(top + self.size.height, self.count))
        return [(line.plain, line.spans) for line in (self.line(n, width) for n in numbers)]


class Tape(Lines, can_focus=False):
    """The nodes of the scene, in the order of creation; a click selects one."""

    BORDER_TITLE = "tape"

    @property
    def count(self) -> int:
        """One line for each node, and for each scope."""
        return len(self.now.outline)

    def line(self, number: int, width: int) -> Content:
        """Draw a node, the scope of those that follow, or a folded scope."""
        line = self.now.outline[number]
        if isinstance(line, ScopeLine):
            return scope_row(self.now, line, width)
        return tape_row(self.now, line, width)

    def line_of_interest(self) -> int | None:
        """The line of the node that is spoken of."""
        return self.now.outline.line_of(self.now.subject)

    def on_click(self, event: events.Click) -> None:
        """Select the node that a person pointed at, or fold or open the scope."""
        number = event.get_content_offset_capture(self).y + self.scroll_offset.y
        line = self.now.outline[number] if 0 <= number < self.count else None
        if isinstance(line, ScopeLine):
            self.post_message(self.ScopePointed(line.scope))
        elif line is not None:
            self.post_message(self.NodeSelected(line))


class Parameters(Lines, can_focus=False):
    """What training changes, each with its course; a click selects one."""

    BORDER_TITLE = "parameters"

    @property
    def count(self) -> int:
        """One line for each parameter; one that says so where there are none."""
        return max(len(parameters(self.state.recording)), 1)

    def line(self, number: int, width: int) -> Content:
        """Draw a parameter."""
        nodes = parameters(self.state.recording)
        if not nodes:
            return Content.styled("nothing is trained here", ink.QUIET)
        return parameter_row(self.state, nodes[number], width)

    def line_of_interest(self) -> int | None:
        """The line of the parameter that is spoken of."""
        nodes, subject = parameters(self.state.recording), self.now.subject
        return nodes.index(subject) if subject in nodes else None

    def on_click(self, event: events.Click) -> None:
        """Select the parameter that a person pointed at."""
        number = event.get_content_offset_capture(self).y + self.scroll_offset.y
        nodes = parameters(self.state.recording)
        if 0 <= number < len(nodes):
            self.post_message(self.NodeSelected(nodes[number]))


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
