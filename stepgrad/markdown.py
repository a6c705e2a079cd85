"""The Markdown of lessons: read the same way for the screen and for a page."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt


@cache
def reader() -> MarkdownIt:
    """Return a reader of CommonMark with tables and strikethrough; HTML and images are text."""
    from markdown_it import MarkdownIt  # noqa: PLC0415 - many a run has no lesson

    markdown = MarkdownIt("commonmark", {"html": False})
    return markdown.enable(["table", "strikethrough"]).disable("image")
