"""The text of a lesson for paper, which has no keys.

A sentence that is about a key is left out. What follows an edit is left out up to the end of its
paragraph: its numbers are those of another run.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator

from stepgrad.markdown import reader
from stepgrad.replay.lesson.marks import key_of

_PRESS = re.compile(r"\bpress(?:ed|es|ing)?\b", re.IGNORECASE)
_CODE = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_SENTENCE = re.compile(r"(?<=[.!?])(?:[*_)\"”]*)\s+")
_MARKER = re.compile(r"\s*(?:(?:\d{1,9}[.)]|[-*+>])\s+)*")
_EDITS = frozenset(("edit", "nudge_up", "nudge_down"))


def for_paper(lesson: str, names: Container[str]) -> str:
    """Return the Markdown of a lesson without what is about keys.

    A name of a node, such as `x`, is a key only in a sentence that says to press it.
    """
    lines = lesson.splitlines()
    for token in reversed(reader().parse(lesson)):
        if token.type == "paragraph_open" and token.map:
            first, end = token.map
            text = "\n".join(lines[first:end])
            marker = _MARKER.match(text)
            begin = marker[0] if marker else ""
            kept = "".join(_kept(text[len(begin) :], names)).rstrip()
            lines[first:end] = f"{begin}{kept}".splitlines() if kept else []
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


def _kept(paragraph: str, names: Container[str]) -> Iterator[str]:
    """Yield the sentences of a paragraph that are not about keys."""
    for sentence in _sentences(paragraph):
        pressed = bool(_PRESS.search(sentence))
        keys = [
            key.command.name
            for code in _CODE.findall(sentence)
            if (pressed or code not in names) and (key := key_of(code))
        ]
        if not _EDITS.isdisjoint(keys):
            return
        if not (pressed or keys):
            yield sentence


def _sentences(paragraph: str) -> Iterator[str]:
    """Yield sentences with the space after them; none ends within code or emphasis."""
    begin = 0
    for match in _SENTENCE.finditer(paragraph):
        sentence = paragraph[begin : match.end()]
        if all(sentence.count(mark) % 2 == 0 for mark in ("`", "*", "**")):
            yield sentence
            begin = match.end()
    yield paragraph[begin:]
