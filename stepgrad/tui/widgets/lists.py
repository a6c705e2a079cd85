"""Panels of many lines, of which only those in view are drawn: tape, source and more."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import PurePath

from textual.content import Content
from textual.geometry import Offset, Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

from stepgrad.engine.tape import Place
from stepgrad.recording.recording import Source
from stepgrad.replay.graph.outline import Line, ScopeLine
from stepgrad.replay.matrices import parameter_lines
from stepgrad.tui.render import ink
from stepgrad.tui.render.parameters import matrix_row, parameter_row
from stepgrad.tui.render.source import source_line
from stepgrad.tui.render.tape import headings, scope_row, tape_row
from stepgrad.tui.widgets.panel import Panel


class Lines(ScrollView, Panel, can_focus=False):
    """A scrolling panel that draws line by line and keeps the line of interest in view."""

    ALLOW_SELECT = False

    def __init__(self, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._drawn: dict[tuple[int, int], Content] = {}  # by number and width

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

    def point_at(self, at: Offset) -> None:
        """Point at the line in a row of the panel, if there is one."""
        number = at.y + self.scroll_offset.y
        if number < self.count:
            self.point_at_line(number)

    def point_at_line(self, number: int) -> None:
        """Act on a click on a line; some have nothing to do."""

    @property
    def top(self) -> int:
        """The line from which on there is something to see."""
        return 0

    @property
    def room(self) -> int:
        """The cells of a line: a blank is between it and the scrollbar."""
        return max(self.scrollable_content_region.width - 1, 0)

    def render_line(self, y: int) -> Strip:
        """Draw a line of the view."""
        number = y + self.scroll_offset.y
        drawn = self._kept_line(number, self.room) if number < self.count else Content()
        return self._strip(drawn)

    def _strip(self, line: Content) -> Strip:
        width = self.scrollable_content_region.width
        strips = Visual.to_strips(self, line, width, 1, self.visual_style, pad=True)
        return strips[0] if strips else Strip.blank(width, self.rich_style)

    def _kept_line(self, number: int, width: int) -> Content:
        """Draw a line, once for each session."""
        if (number, width) not in self._drawn:
            self._drawn[number, width] = self.line(number, width)
        return self._drawn[number, width]

    def on_resize(self) -> None:
        """Keep the line of interest in view."""
        self.show()

    def show(self) -> None:
        """Scroll to the line of interest, and draw the lines that change."""
        before, self._drawn = self._drawn, {}
        # Whatever the width, it is never exceeded. The first layout already has to know how many
        # lines there are, or it would be done again with a scrollbar.
        width, height = self.room, self.size.height
        self.virtual_size = Size(1, max(self.count, self.top + height if self.top else 0))
        y = self._scrolled(height) if height else None
        if y is not None:
            self.scroll_to(y=y, animate=False, immediate=True)
        top = self.scroll_offset.y
        for number in range(top, min(top + height, self.count)):
            was = before.get((number, width))
            if was is None or not was.is_same(self._kept_line(number, width)):
                self.refresh(Region(0, number - top, width + 1, 1))

    def _scrolled(self, height: int) -> int | None:
        """Where to scroll to, so that the line of interest is in view; None if it is."""
        line = self.line_of_interest()
        if line is None or 0 <= line - self.scroll_offset.y < height:
            return None
        y = max(0, line - height // 2)
        return self.top if y < self.top <= line < self.top + height else y


class Tape(Lines, can_focus=False):
    """The nodes of the scene, in the order of creation; a click selects one."""

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

    _headings = Content()

    def show(self) -> None:
        """Put the headings of the columns into the border, and show the line."""
        title = headings(self.now, self.room)
        if not title.is_same(self._headings):  # setting it draws everything again
            self.border_title = self._headings = title
        super().show()

    def line_of_interest(self) -> int | None:
        """The line of the subject."""
        return self.now.outline.line_of(self.now.subject)

    def point_at_line(self, number: int) -> None:
        """Select the node that a person pointed at, or fold or open the scope."""
        line = self.now.outline[number]
        if isinstance(line, ScopeLine):
            self.post_message(self.ScopePointed(line.scope))
        else:
            self.post_message(self.NodeSelected(line))


class Parameters(Lines, can_focus=False):
    """What training changes, each with a sparkline; a click selects one, or opens a matrix."""

    BORDER_TITLE = "parameters"

    @property
    def count(self) -> int:
        """One line for each parameter or matrix; without any, a line that says so."""
        return max(len(self._lines), 1)

    def line(self, number: int, width: int) -> Content:
        """Draw a parameter, or a matrix."""
        if not self._lines:
            return Content.styled("no training in this lesson", ink.QUIET)
        line = self._lines[number]
        if isinstance(line, ScopeLine):
            return matrix_row(self.now, line, width)
        return parameter_row(self.now, line, width)

    def line_of_interest(self) -> int | None:
        """The line of the parameter that is the subject, or of its matrix."""
        subject = self.now.subject
        for number, line in enumerate(self._lines):
            if line == subject or (isinstance(line, ScopeLine) and line.holds(subject)):
                return number
        return None

    def point_at_line(self, number: int) -> None:
        """Select the parameter that a person pointed at; a matrix opens or closes."""
        if self._lines:
            line = self._lines[number]
            first = line if isinstance(line, int) else next(iter(line.nodes), self.now.selected)
            if first is not None:
                self.post_message(self.NodeSelected(first))

    @property
    def _lines(self) -> Sequence[Line]:
        return parameter_lines(self.now)


class SourcePanel(Lines, can_focus=False):
    """The text of the scenario or program, with the line that the cursor is on."""

    BORDER_TITLE = "source"

    @property
    def _source(self) -> Source | None:
        """The text that made the subject; if that is unknown, the text that is run."""
        return self.state.recording.source_of(self.now.place)

    @property
    def count(self) -> int:
        """One line for each line of the text; without a text, a line that says so."""
        return len(self._source.lines) if self._source else 1

    def line(self, number: int, width: int) -> Content:
        """Draw a line of the text."""
        if self._source is None:
            told = (
                f"no source for {self.now.place.file}" if self.now.place.file else "source unknown"
            )
            return ink.line((told, ink.QUIET)).truncate(width, ellipsis=True)
        current = number == self.line_of_interest()
        return source_line(self._source, number + 1, width, current=current)

    def point_at_line(self, number: int) -> None:
        """Point at a line of the text."""
        if self._source is not None:
            self.post_message(self.LinePointed(self.now.place.file, number + 1))

    def line_of_interest(self) -> int | None:
        """The line that made the subject."""
        line = self.now.place.line
        return None if line is None or self._source is None else line - 1

    @property
    def top(self) -> int:
        """In a scenario, the first statement: the lesson before it has its own panel."""
        recording = self.state.recording
        place = recording.node(0).place if recording.size else Place()
        return place.line - 1 if place.line is not None and place.file is None else 0

    def show(self) -> None:
        """Put the file into the border where there are several, and show the line."""
        recording = self.state.recording
        if len(recording.sources) > 1:
            name = PurePath(self.now.place.file or recording.name).name
            self.border_title = Content.assemble("source", (f"  {name}", ink.QUIET))
        super().show()
