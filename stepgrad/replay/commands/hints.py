"""Keys in messages: a message names a command, and the screen puts in the key that is in force."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

Keymap = Mapping[str, Sequence[str]]
"""The keys of each command by name, the one to show first; none if other commands took them."""

_HINT = re.compile("⟦([a-z_]+)⟧")


def key(command: str) -> str:
    """Stand in a message for the key of a command of the table."""
    return f"⟦{command}⟧"


def with_keys(text: str, keymap: Keymap) -> str:
    """Put keys into a message; a command without a key is shown by name."""
    return _HINT.sub(lambda hint: next(iter(keymap.get(hint[1], ())), hint[1]), text)
