"""What is wrong with a file that is not YAML, for people who do not know YAML's grammar.

PyYAML has two parsers, libyaml's and its own, whose messages differ; each pattern matches both.
They are never shown: for a message that no pattern matches, ours is more general.
"""

from __future__ import annotations

import re
from typing import Protocol

import yaml

from stepgrad.scenario.text import Source

_IN_QUOTES = "put text that begins with this character in quotes"
_AT_THE_PROBLEM = {
    "sequence entries are not allowed": (
        "begin the list on a line of its own, with `- ` before each entry, or write it in `[…]`"
    ),
    "escape": r"write `\\` for `\`, or put the text in single quotes",
    "cannot start any token": _IN_QUOTES,
    "node content": (
        "a value is missing before this; there is no space between a minus sign and its number"
    ),
}
_AT_THE_BEGINNING = {
    r"expected ',' or '\}'": "this `{{` is not closed: `,` or `}}` is missing before {end}",
    r"expected ',' or '\]'": "this `[` is not closed: `,` or `]` is missing before {end}",
    "unexpected end of stream": "the quote that begins here is never closed",
    "could not find expected ':'": (
        "neither a key nor a list entry: write `: ` after a key and `- ` before an entry, and "
        "indent text that continues the line above"
    ),
    "alphabetic or numeric|comment or|chomping": _IN_QUOTES,
}
_LONGEST_KEY = 1_024  # both parsers stop at the colon of a longer one
_MISPLACED = re.compile("expected key|<block end>|'-' indicator|<document start>")


class Mark(Protocol):
    """A position, as either of PyYAML's parsers gives it."""

    @property
    def index(self) -> int:
        """Count characters from the start of the text."""


def index_of(mark: Mark | None) -> int:
    """Return where `mark` is in the source; by its type it may be None, but it never is."""
    return mark.index if mark is not None else 0


def explain(error: yaml.MarkedYAMLError, source: Source) -> tuple[int, str]:
    """Return where a YAML error is and what to do about it."""
    index, words = _explain(error, source)
    return index, f"not valid YAML: {words}"


def _explain(error: yaml.MarkedYAMLError, source: Source) -> tuple[int, str]:
    problem = error.problem or error.context or ""
    begin = index_of(error.context_mark or error.problem_mark)
    end = index_of(error.problem_mark or error.context_mark)
    if source.text[end : end + 1] == "\t":
        return end, "indent with spaces, not with tabs"
    if source.text[begin : begin + 1] == "\N{NO-BREAK SPACE}":
        return begin, "a no-break space: indent with plain spaces"
    line, column = source.position(end)
    before = source.lines[line - 1][: column - 1]
    key = re.split(r"[{,]", before)[-1].lstrip()
    if source.text[end : end + 1] == ":" and len(key) > _LONGEST_KEY and ": " not in key:
        return end - len(key), f"a key has at most {_LONGEST_KEY:,} characters"
    if "mapping values" in problem:
        if re.search(r":\s", before):
            return end, "put text that contains `: ` in quotes"
        return end, _misplaced(source, line)
    if _MISPLACED.search(problem):
        if before.strip():
            return end, "nothing can follow here: the value before it is complete"
        return end, _misplaced(source, line)
    for signs, index in ((_AT_THE_BEGINNING, begin), (_AT_THE_PROBLEM, end)):
        for sign, words in signs.items():
            if re.search(sign, problem):
                return index, words.format(end=f"line {line}, column {column}")
    return end, "this cannot follow what comes before it"


def _misplaced(source: Source, line: int) -> str:
    """Say how a line differs from the one above it; either may be the one to move."""
    above = next(
        (number for number in range(line - 1, 0, -1) if _column(source, number) is not None), line
    )
    here, there = _column(source, line), _column(source, above)
    if here == there:
        return (
            f"line {line} does not match line {above}: write `- ` before each entry of a list, "
            "and `: ` after each key of a section"
        )
    return (
        f"line {line} begins in column {here}, line {above} in column {there}: give lines that "
        "belong together the same indentation"
    )


def _column(source: Source, line: int) -> int | None:
    """Return the column, from 1, in which a line begins; None if it is blank or a comment."""
    found = re.search(r"[^\s]", source.lines[line - 1])
    return None if found is None or found[0] == "#" else found.start() + 1
