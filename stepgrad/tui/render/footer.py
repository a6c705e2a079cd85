"""The foot of the screen: the keys that are of use now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from textual.content import Content

from stepgrad.replay.commands.hints import Keymap
from stepgrad.replay.commands.moment import ALWAYS
from stepgrad.replay.commands.table import BY_NAME
from stepgrad.tui.keymap import key_name
from stepgrad.tui.render import ink

_GAP = 2


class Key(NamedTuple):
    """A key as it is written, what it does, and the action of the screen that does it, if any."""

    key: str
    does: str
    action: str = ""

    @property
    def width(self) -> int:
        """Its cells, with a blank between the key and what it does."""
        return cell_len(self.key) + 1 + cell_len(self.does)


def footer(
    names: Sequence[str], keymap: Keymap, width: int, words: Mapping[str, str] = {}
) -> Content:
    """Return the keys of commands in one line, as many as have room; a click on one presses it.

    `words` say what a command does at the moment, where that differs.
    """
    keys = [
        Key(key_name(keymap[name][0]), words.get(name, BY_NAME[name].label), name)
        for name in names
        if keymap.get(name)
    ]
    return written([*_fitting(keys, width - 2)])


def written(keys: Sequence[Key]) -> Content:
    """Write keys beside each other."""
    spans: list[ink.Span] = []
    for each in keys:
        style = ink.doing(each.action) if each.action else ink.PLAIN
        spans += [
            (" " * _GAP if spans else " ", ink.PLAIN),
            (each.key, f"{ink.CURRENT} {style}"),
            (f" {each.does}", f"{ink.QUIET} {style}"),
        ]
    return ink.line(*spans)


def _fitting(keys: Sequence[Key], width: int) -> Iterator[Key]:
    """Yield the keys that have room; a later one only after those that are always of use."""
    kept = {each.action for each in keys if each.action in ALWAYS}
    taken = sum(each.width + _GAP for each in keys if each.action in kept) - _GAP
    for each in keys:
        if each.action in kept:
            yield each
        elif taken + each.width + _GAP <= width:
            taken += each.width + _GAP
            yield each
