"""From the Markdown of a lesson to its steps, each with the keys or the place that it asks for.

A paragraph is a step, and so is each item of a numbered list. A heading belongs to the step below
it, and a table, a list of points or a quotation to the step above.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from stepgrad.markdown import reader
from stepgrad.recording.recording import Recording
from stepgrad.replay.lesson.marks import Place, key_of, place_of

if TYPE_CHECKING:
    from markdown_it.token import Token

KEEP = re.compile(r"\bkeep pressing\s+$", re.IGNORECASE)
_TIMES = re.compile(r"\s+(?:(once|twice)\b|(\w+)\s+times\b)")
_NUMBERS = ("once", "twice", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_SENTENCE = re.compile(r"[.:;]\s+\w")
UNTIL = re.compile(r"[^.;:]*\buntil\b[^.;:]*")


class Demand(NamedTuple):
    """What a step waits for: a command, done a number of times, or a place.

    If both are given, a command that `keeps` is done until the place is reached; any other is
    replaced by being there, such as by a click in place of a search.
    """

    command: str = ""
    place: Place | None = None
    times: int = 1
    keeps: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A part of a lesson: its Markdown, what it asks for in order, and the places it names.

    It `explains` if it goes on after the last of what it asks for, about what is to be seen then.
    """

    markdown: str
    demands: tuple[Demand, ...] = ()
    places: frozenset[str] = frozenset()
    explains: bool = False


def steps(markdown: str, recording: Recording) -> tuple[Step, ...]:
    """Return the steps of a lesson about a recording."""
    lines = markdown.splitlines()
    tokens = reader().parse(markdown)
    starts = [*_starts(tokens)]
    bounds = [0, *starts[1:], len(lines)] if starts else []
    return tuple(
        _step("\n".join(lines[start:end]).strip("\n"), tokens, range(start, end), recording)
        for start, end in pairwise(bounds)
    )


def _starts(tokens: Iterable[Token]) -> Iterator[int]:
    """Yield the first line of each step."""
    headed = False
    for token in tokens:
        begins = (token.level == 0 and token.type in ("paragraph_open", "heading_open")) or (
            token.level == 1 and token.type == "list_item_open" and token.info
        )
        if begins and token.map and not headed:
            yield token.map[0]
        if begins:
            headed = token.type == "heading_open"


def _step(markdown: str, tokens: Iterable[Token], lines: range, recording: Recording) -> Step:
    """Read what a step asks for from its text."""
    parts = _parts(token for token in tokens if token.map and token.map[0] in lines)
    places = {
        code: place
        for code in parts[1::2]
        if key_of(code) is None and (place := place_of(code, recording)) is not None
    }
    demands = [*_demands(parts, places, recording)] or [Demand(place=p) for p in places.values()]
    return Step(markdown, tuple(demands), frozenset(places), _explains(parts, places))


def parts_of(markdown: str) -> Sequence[str]:
    """Return the text of a lesson, in which code spans are every second part."""
    return _parts(reader().parse(markdown))


def _parts(tokens: Iterable[Token]) -> Sequence[str]:
    parts = [""]
    for token in tokens:
        if token.type == "inline":
            for child in token.children or ():
                if child.type == "code_inline":
                    parts += [child.content, ""]
                else:
                    parts[-1] += " " if child.type == "softbreak" else child.content
            parts[-1] += ". "
    return parts


def _explains(parts: Sequence[str], places: Mapping[str, Place]) -> bool:
    """Whether another sentence follows the last key or, without keys, the last place."""
    codes = range(1, len(parts), 2)
    last = [i for i in codes if (key := key_of(parts[i])) and key.awaited]
    last = last or [i for i in codes if parts[i] in places]
    return bool(last and _SENTENCE.search("".join(parts[last[-1] + 1 :])))


def _demands(
    parts: Sequence[str], places: Mapping[str, Place], recording: Recording
) -> Iterator[Demand]:
    """Yield what the keys in a text ask for."""
    for i in range(1, len(parts), 2):
        key = key_of(parts[i])
        if key is None or not key.awaited:
            continue
        before, after, follows = parts[i - 1], parts[i + 1], "".join(parts[i + 2 : i + 3])
        if KEEP.search(before) and not key.command.asks:
            until = places.get(follows) if UNTIL.fullmatch(after) else None
            yield Demand(key.command.name, until, keeps=True)
        else:
            there = place_of(key.answer, recording) if key.answer else None
            yield Demand(key.command.name, there, _times(after))


def _times(after: str) -> int:
    """How often to press a key, from the words after it: `five times`."""
    found = _TIMES.match(after)
    word = (found[1] or found[2]).lower() if found else ""
    if word.isdecimal():
        return int(word)
    return _NUMBERS.index(word) + 1 if word in _NUMBERS else 1
