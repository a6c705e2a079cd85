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

SHAPE = re.compile(r" \([\d×]+\)$")
"""How a scope ends that is a tensor."""

_PART = re.compile(r"[/.](?=[^\W\d])")
"""What is before a part of a path."""

_LAST_TERM = "… + "

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


def shortened(name: str, most: int) -> str:
    """Shorten a name to `most` characters, but keep its end, which tells it from others.

    Of a path, such as `layer0/head1/q` or `net.w[0]`, the start is left out. Where the last part
    has no room, its middle is, but not the numbers after it. Of an expression the middle is left
    out, too: a product and the sum that it is added to end alike. Of a sum that is shown by its
    last term (`… + w3·x3`), that term is shortened.
    """
    if len(name) <= most:
        return name
    if name.startswith(_LAST_TERM) and most > 2 * len(_LAST_TERM):
        return f"{_LAST_TERM}{shortened(name.removeprefix(_LAST_TERM), most - len(_LAST_TERM))}"
    room = max(most, 1) - 1
    is_path = _OPERATORS.isdisjoint(SHAPE.sub("", name))
    last = _PART.split(name)[-1] if is_path else name
    if len(last) <= room:
        return f"…{name[len(name) - room :]}"[:most]
    numbers = _ELEMENT.search(last[-_LONGEST_ELEMENT:])
    end = max((room + 1) // 2, min(len(numbers[0]), room) if numbers else 0)
    return f"{last[: room - end]}…{last[len(last) - end :]}"[:most]


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
