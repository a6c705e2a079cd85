"""The source panel: the text of the program or scenario, with the current line."""

from textual.content import Content

from stepgrad.recording.recording import Source
from stepgrad.tui.render import ink


def source_line(source: Source, line: int, width: int, *, current: bool) -> Content:
    """Return a line of the source (from 1), with its number."""
    text = source.lines[line - 1].expandtabs(4)
    marker = "▶" if current else " "
    digits = max(3, len(str(len(source.lines))))
    row = ink.line(
        (f"{marker}{line:>{digits}} ", ink.CURRENT if current else ink.QUIET),
        (text, ink.CURRENT if current else ""),
    )
    return row.truncate(width, ellipsis=True)
