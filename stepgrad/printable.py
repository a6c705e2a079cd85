"""Text from outside, such as a label, a title or a path, made safe to show.

It may hold characters that control a terminal, reverse the direction of a line, or break it. All
such text passes through here: names and titles when they are read, so that everything made of them
is clean, and whatever the command line prints.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

_ELEMENT = re.compile(r"(?:\[\d+\])+$")
_LONGEST_ELEMENT = 20

_OPERATORS = frozenset("·+−(")
"""What expressions have, and names do not."""


def printable(text: str) -> str:
    """Return text as one line: white space as blanks, invisible format characters left out.

    Any other character that cannot be printed, such as an escape, becomes �.
    """
    return text if text.isprintable() else "".join(map(_printable, text))


def printable_lines(text: str) -> str:
    """As `printable`, but line feeds stay."""
    return "\n".join(map(printable, text.split("\n")))


def counted(count: int, what: str) -> str:
    """Return a number of things: `1 event`, `2,000 backward passes`."""
    plural = "es" if what.endswith("s") else "s"
    return f"{count:,} {what}{plural * (count != 1)}"


def few(names: Sequence[str], most: int, joint: str = ", ") -> str:
    """Return the first names, and how many more there are: `a, b and 3 more`."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{joint.join(names[:most])}{more}"


def subscripts(name: str) -> str:
    """Return the numbers that tell a name from others of its list: of `w['q'][0][2]`, `[0][2]`.

    An expression, such as `w[0]·x[2]`, has none.
    """
    found = _ELEMENT.search(name[-_LONGEST_ELEMENT:])
    return found[0] if found and _OPERATORS.isdisjoint(name) else ""


def as_json(content: Any) -> str:
    """Return JSON to read: letters as they are, and what cannot be printed as escapes."""
    text = json.dumps(content, indent=2, ensure_ascii=False)
    return "\n".join(line if line.isprintable() else _escaped(line) for line in text.split("\n"))


def _printable(character: str) -> str:
    if character.isprintable():
        return character
    if character.isspace():
        return " "
    invisible = unicodedata.category(character) == "Cf"
    return "" if invisible else "\N{REPLACEMENT CHARACTER}"


def _escaped(text: str) -> str:
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)
