"""What is wrong with a file that is not YAML, in words for people who do not know YAML's grammar.

PyYAML comes with two parsers, libyaml's and its own, whose words differ: a pattern takes both. They
are never shown: where a version of PyYAML has words that no pattern knows, ours are more general.
"""

from __future__ import annotations

import re
from typing import Protocol

import yaml

from stepgrad.scenario.source import Source

_IN_QUOTES = "put text that begins with this sign in quotes"
_AT_THE_PROBLEM = {
    "sequence entries are not allowed": (
        "begin the list on a line of its own, with `- ` before each entry, or write it in `[…]`"
    ),
    "escape": r"write `\\` for `\`, or put the text in single quotes",
    "cannot start any token": _IN_QUOTES,
    "node content": (
        "a value is missing before this; between a minus sign and its number there is no space"
    ),
}
_AT_THE_BEGINNING = {
    r"expected ',' or '\}'": "this `{{` is not closed: `,` or `}}` is missing before {end}",
    r"expected ',' or '\]'": "this `[` is not closed: `,` or `]` is missing before {end}",
    "unexpected end of stream": "the quote that begins here is never closed",
    "could not find expected ':'": (
        "neither a key nor an entry: a key has `: ` after it, with a space, an entry `- ` before "
        "it; text that goes on from the line above is indented deeper"
    ),
    "alphabetic or numeric|comment or|chomping": _IN_QUOTES,
}
_MISPLACED = re.compile("expected key|<block end>|'-' indicator|<document start>")


class Mark(Protocol):
    """A position, as either of PyYAML's parsers gives it."""

    @property
    def index(self) -> int:
        """Count characters from the start of the text."""


def index_of(mark: Mark | None) -> int:
    """Return where `mark` is in the source; only its type says that an event may have none."""
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
    if "mapping values" in problem:
        if re.search(r":\s", before):
            return end, "put text that contains `: ` in quotes"
        return end, _misplaced(source, line)
    if _MISPLACED.search(problem):
        if before.strip():
            return end, "nothing can follow here: what stands before it is complete"
        return end, _misplaced(source, line)
    for signs, index in ((_AT_THE_BEGINNING, begin), (_AT_THE_PROBLEM, end)):
        for sign, words in signs.items():
            if re.search(sign, problem):
                return index, words.format(end=f"line {line}, column {column}")
    return end, "this cannot follow what stands before it"


def _misplaced(source: Source, line: int) -> str:
    """Say how a line differs from the one above it, where either may be the one to move."""
    above = next(
        (number for number in range(line - 1, 0, -1) if _column(source, number) is not None), line
    )
    here, there = _column(source, line), _column(source, above)
    if here == there:
        return (
            f"line {line} does not go on as line {above} began: each entry of a list has `- ` "
            "before it, each key of a section `: ` after it, with a space"
        )
    return (
        f"line {line} begins in column {here}, line {above} in column {there}: what belongs "
        "together begins in the same column, so indent or outdent one of them"
    )


def _column(source: Source, line: int) -> int | None:
    """Return in which column, from 1, a line begins; None if it is blank or a comment."""
    found = re.search(r"[^\s]", source.lines[line - 1])
    return None if found is None or found[0] == "#" else found.start() + 1
