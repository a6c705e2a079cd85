"""The errors that stepgrad raises on purpose, and how they read in a terminal.

A mistake in a file is reported as a compiler reports it: where it is, what is wrong, the line with
a caret under the place, and the name that was probably meant. All of it is formatted here, so that
every part of the program reports errors the same way.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from os import PathLike
from typing import NamedTuple

from stepgrad.printable import printable

EXCERPT_WIDTH = 76
"""The most characters of a source line to show; a longer line is cropped around the caret."""

_LONGEST_WORD = 60
_MOST_CANDIDATES = 300  # a suggestion is worth a few milliseconds, not more
_MOST_LISTED = 15


class StepgradError(Exception):
    """Base of every error that stepgrad raises on purpose: each argument is a line to show.

    What a person typed may be a part of a line, and a path may hold line breaks.
    """

    def __str__(self) -> str:
        return "\n".join(printable(str(line)) for line in self.args)


class Diagnostic(NamedTuple):
    """One problem at one place; `line` and `column` count characters from 1."""

    line: int
    column: int
    message: str


class ScenarioError(StepgradError):
    """A scenario file that cannot be used: everything wrong with it, sorted by position.

    `lines` is the source that the positions refer to. It is empty when the problem is the file
    itself (missing, a folder, too big): then there is no position to give and no line to show.
    `note` is about all of them, and comes last.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        diagnostics: Iterable[Diagnostic],
        lines: Sequence[str] = (),
        note: str = "",
    ) -> None:
        self.path = path
        self.diagnostics = tuple(sorted(diagnostics, key=lambda d: (d.line, d.column)))
        self.lines = tuple(lines)
        self.note = note
        super().__init__(path, self.diagnostics, self.lines, note)

    def __str__(self) -> str:
        told = [self._describe(diagnostic) for diagnostic in self.diagnostics]
        note = [printable(f"{self.path}: {self.note}")] if self.note else []
        return "\n".join([*told, *note])

    def _describe(self, diagnostic: Diagnostic) -> str:
        line, column = diagnostic.line, diagnostic.column
        where = f"{self.path}:{line}:{column}" if self.lines else self.path
        told = printable(f"{where}: {diagnostic.message}")
        if line > len(self.lines):
            return told
        shown, indent = _crop(self.lines[line - 1], column - 1)
        gutter = " " * len(str(line))
        return f"{told}\n  {line} | {shown}\n  {gutter} | {' ' * indent}^"


class NotEnoughMemoryError(StepgradError):
    """There is not enough memory; says what to do."""

    def __init__(self) -> None:
        super().__init__(
            "not enough memory: limit the recording with --memory, or use fewer steps or rows"
        )


class RecordingError(StepgradError):
    """A recording file that cannot be read or written: what is wrong, and what to do."""

    def __init__(self, path: str | PathLike[str], problem: str) -> None:
        self.path = path
        self.problem = problem
        super().__init__(path, problem)

    def __str__(self) -> str:
        return printable(f"{self.path}: {self.problem}")


def suggest(word: str, candidates: Iterable[str]) -> str:
    """`"; did you mean x?"` for the candidate nearest to `word`, or `""` if none is near."""
    near = nearest(word, candidates)
    return f"; did you mean `{near}`?" if near is not None else ""


def suggest_or_list(word: str, candidates: Iterable[str]) -> str:
    """As `suggest`; if none is near but there are few, `"; use x, y or z"`."""
    known = list(dict.fromkeys(candidates))
    near = suggest(word, known)
    if near or not 0 < len(known) <= _MOST_LISTED:
        return near
    *most, last = (f"`{name}`" for name in known)
    return f"; use {', '.join(most)} or {last}" if most else f"; use {last}"


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate that `word` was probably meant to be, if one is near.

    A name in a scope is nearest to its last part: `layer1/neuron1/w1` to `w1`. Among equally near
    candidates the first wins, so callers put the likelier ones first. Short names are near if half
    of each matches: `w3` is near `w1`.
    """
    if len(word) > _LONGEST_WORD:
        return None
    known = list(candidates)
    if scoped := next((each for each in known if each.endswith(f"/{word}")), None):
        return scoped
    short = len(word) <= 3
    found, best = None, 0.5 if short else 0.61
    matcher = SequenceMatcher(b=word.lower())
    for candidate in known[:_MOST_CANDIDATES]:
        if short and len(candidate) > len(word) + 1:
            continue
        matcher.set_seq1(candidate.lower())
        if matcher.real_quick_ratio() < best or matcher.quick_ratio() < best:
            continue
        ratio = matcher.ratio()
        if ratio > best or (ratio == best and found is None):
            found, best = candidate, ratio
    return found


def _crop(line: str, at: int) -> tuple[str, int]:
    """Return the part of `line` to print around character `at`, and the cells before `at`."""
    start, end = 0, len(line)
    if end > EXCERPT_WIDTH:
        start = max(0, min(at - EXCERPT_WIDTH // 2, end - EXCERPT_WIDTH))
        end = start + EXCERPT_WIDTH
    before = "…" * (start > 0) + _shown(line[start:at])
    after = _shown(line[max(start, at) : end]) + "…" * (end < len(line))
    return before + after, sum(map(_cells, before))


def _shown(text: str) -> str:
    return printable(text.replace("\t", "    "))


def _cells(character: str) -> int:
    """How many terminal columns a printable character takes: 0, 1 or 2."""
    if unicodedata.combining(character) or unicodedata.category(character) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
