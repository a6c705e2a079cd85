"""What a lesson asks for that there is not: a key, an event, or a name that no node has."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stepgrad.errors import suggest
from stepgrad.recording.recording import Recording
from stepgrad.replay.commands.places import CommandError, find_place
from stepgrad.replay.commands.searching import SearchError, search
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.lesson.marks import Key, key_of, place_of
from stepgrad.replay.lesson.steps import KEEP, UNTIL, parts_of
from stepgrad.replay.session import Session

_PRESS = re.compile(r"\bpress(?:ing)?\s+$", re.IGNORECASE)
_AND = re.compile(r"\s*(?:,|,?\s+and|,?\s+then|,?\s+and then|,?\s+or)\s+")
_GO = re.compile(r"\bgo(?: back)? to\s+$", re.IGNORECASE)
_NAME = re.compile(r"[^\W\d][\w./\[\]]*")
_COUNTED = re.compile(r"event \d+|\d+%?|step -?\d+", re.ASCII)


def unknown(markdown: str, recording: Recording) -> Iterator[tuple[str, str]]:
    """Yield each code span of a lesson that cannot be done in a recording, and why.

    Code that is neither pressed nor gone to may be any code, except for `event 14`.
    """
    parts = parts_of(markdown)
    pressed = going = False
    for i in range(1, len(parts), 2):
        before, code = parts[i - 1], parts[i]
        key = key_of(code)
        goes_on = pressed and _AND.fullmatch(before) is not None
        pressed = goes_on or _PRESS.search(before) is not None
        kept = going and UNTIL.fullmatch(before) is not None
        if key is not None:
            message = _unanswered(key, recording)
        elif pressed and place_of(code, recording) is None:
            message = f"unknown key `{code}`"
        elif kept or _GO.search(before) or code.startswith("event "):
            message = _nowhere(code, recording)
        else:
            message = ""
        if message:
            yield code, message
        going = key is not None and KEEP.search(before) is not None


def _unanswered(key: Key, recording: Recording) -> str:
    """Return why what is typed after a key leads nowhere, if it is a place or a search."""
    if key.answer and key.command.name == "goto":
        return _nowhere(key.answer, recording)
    names = recording.names(recording.length)
    if key.command.name != "search" or any(key.answer in name for name in names):
        return ""
    try:
        search(Session.open(Cursor(recording)), key.answer)
    except SearchError as error:
        return str(error)
    return ""


def _nowhere(code: str, recording: Recording) -> str:
    """Return why a code span does not name a place; empty if it does, or is other code."""
    where = code.removeprefix("event ").removesuffix(".grad")
    if place_of(code, recording) is not None and not where.isdecimal():
        return ""
    try:
        find_place(Cursor(recording), where)
    except CommandError as error:
        if _COUNTED.fullmatch(code):
            return str(error)
        names = recording.names(recording.length)
        return f"unknown name `{where}`{suggest(where, names)}" if _NAME.fullmatch(where) else ""
    return ""
