"""A report whose lines lead somewhere: choose one, and go there."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from stepgrad.tui.dialogs.dialog import ReportDialog
from stepgrad.tui.render.listing import Line, Listing

PADDING = 2
"""The cells beside a line, by the style sheet."""


class Places(OptionList):
    """The lines of a report; those that lead nowhere are passed over."""

    BINDINGS = [
        Binding("enter", "select", "go there", priority=True),
        Binding("down,j", "cursor_down", "next", id="select_down", priority=True),
        Binding("up,k", "cursor_up", "previous", id="select_up", priority=True),
        Binding("home,g", "first", "first", id="start", priority=True),
        Binding("end,G", "last", "last", id="end", priority=True),
    ]

    def __init__(self, lines: Sequence[Line], *, id: str) -> None:  # noqa: A002
        super().__init__(
            *(Option(line.text, disabled=line.position is None) for line in lines), id=id
        )
        self._paragraphs = lines

    def on_resize(self) -> None:
        """Wrap the lines for the width at hand."""
        for number, line in enumerate(self._paragraphs):
            wrapped = line.wrapped(self.scrollable_content_region.width - PADDING)
            self.replace_option_prompt_at_index(number, wrapped)


class PlacesScreen(ReportDialog[Line]):
    """A report to choose from; the answer is the line that is chosen."""

    HINT = "Enter goes there · Esc closes"

    def __init__(self, title: str, listing: Listing) -> None:
        super().__init__()
        self._title = title
        self._lines = listing.lines

    def compose(self) -> ComposeResult:
        """Show the lines below each other."""
        places = Places(self._lines, id="report")
        places.border_title = Content(self._title)
        yield places

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._lines[event.option_index])
