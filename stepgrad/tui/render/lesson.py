"""The lesson beside a replay: prose, with what is **bold** and what is `code`."""

import re

from textual.content import Content

from stepgrad.tui.render import ink

_MARKED = re.compile(r"\*\*(?P<bold>[^*]+)\*\*|`(?P<code>[^`]+)`")


def lesson(markdown: str) -> Content:
    """Return the paragraphs of a lesson, each on a line of its own, ready to be wrapped."""
    paragraphs = (" ".join(text.split()) for text in markdown.strip().split("\n\n"))
    return Content("\n\n").join(map(_paragraph, paragraphs))


def _paragraph(text: str) -> Content:
    spans: list[ink.Span] = []
    end = 0
    for mark in _MARKED.finditer(text):
        spans.append((text[end : mark.start()], ink.PLAIN))
        bold = mark["bold"] is not None
        spans.append((mark["bold"] or mark["code"], ink.NAME if bold else ink.CURRENT))
        end = mark.end()
    return Content.assemble(*spans, (text[end:], ink.PLAIN))
