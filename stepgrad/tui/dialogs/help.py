"""The help: every key and what it does, from the table of commands alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, zip_longest
from textwrap import wrap

from textual import events
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from stepgrad.course.glossary import Entry
from stepgrad.replay.commands.hints import Keymap
from stepgrad.replay.commands.table import GROUPS, Command
from stepgrad.tui.dialogs.dialog import ReportScreen
from stepgrad.tui.keymap import key_name
from stepgrad.tui.render import ink

KEYS = 9
"""Cells for the keys of a command."""
ROOMY = 58
"""From this width of a column on, every command is explained in full."""

COLUMNS = ("Timeline", "Graph", "Recording"), ("Tape", "Node", "Panels", "Always")
"""The groups on the left, and those on the right; below each other where there is no room."""

ABOUT = {
    "Timeline": "where you are in the run",
    "Tape": "which node is selected",
    "Graph": "how much of it is drawn",
    "Node": "selected, or else current",
    "Recording": "the whole of it",
    "Panels": "one only; again for all",
}
"""What the commands of a group act on."""

LEGEND = (
    "▶ forward  ◀ backward  × zero  = set  △ update  ● stop  ◆ bookmark  ▁▅ size",
    "gradient: – not reached yet  0 arrived, is zero  ∅ never reached",
    "dL/dh: the whole derivative, over all paths, which h.grad holds",
    "∂z/∂h: the local one, of one operation  ∂₁b/∂a ∂₂b/∂a: a is both operands",
    "tangent: in forward mode, how fast a number changes with the seeded input",
    "received: each contribution to a gradient, and where it came from",
    "contribution 1 of 2: the first of two to this gradient",
    "⚠ 2: two things are wrong; in the timeline, ! marks where",
    "matches 3 of 11 expected: of 11 expected values, 3 are there by now",
    "mouse: names, titles, keys and lines of the source can be clicked",
    "∇: the gradient  z → h: a neuron going forward  ∇z ← ∇h: going back",
    "Σ on a wire: the running sum of a gradient  ┼: shut, nothing goes back",
    "┄▶: to the root, which is out of view  2 → 2.1: before and after the edits",
    "empty frames: dashed, not computed yet, or only partly in view",
    "play moves each number along its wire, but in a network, whose wires are weights",
    "TEXTUAL_ANIMATIONS=none reduces motion; NO_COLOR=1 shows no colours",
    "themes, in the palette or with --theme: high-contrast, colour-blind, …-light",
)
"""What symbols and words mean. It comes after the keys; a small screen has to scroll to it."""

_Row = list[ink.Span]


def help_text(titles: Sequence[str], keymap: Keymap, width: int) -> Content:
    """Return groups of commands, `width` cells wide."""
    gap: list[_Row] = [[]] if width >= ROOMY else []
    blocks = (_block(title, keymap, width) for title in titles)
    return ink.lines(*(row for block in blocks for row in (*block, *gap)))


def _block(title: str, keymap: Keymap, width: int) -> Iterator[_Row]:
    """Yield a group: its title, then its commands, with similar ones on one line."""
    alone = [command for command in GROUPS[title] if command.panel]
    yield [(title, ink.NAME), (f"  {ABOUT.get(title, '')}", ink.QUIET)]
    roomy = width >= ROOMY
    width -= 1 + roomy  # the next column is beside it
    yield from _panels(alone, keymap, width)
    others = [command for command in GROUPS[title] if not command.panel]
    for group in [[each] for each in others] if roomy else _together(others):
        keys = _keys(group, keymap)
        text = group[0].help if roomy else _joined([each.brief for each in group])
        for i, line in enumerate(wrap(text, max(width - KEYS - 1, 1))):
            yield [(f"{'' if i else keys:>{KEYS}} ", ink.CURRENT), (line, ink.PLAIN)]


def _panels(alone: Sequence[Command], keymap: Keymap, width: int) -> Iterator[_Row]:
    """Yield the panels, each with its key and its name, as many in a row as fit."""
    row: list[ink.Span] = []
    for command in alone:
        keys = keymap.get(command.name)
        if not keys:
            continue
        item = [(f"  {key_name(keys[0])}", ink.CURRENT), (f" {command.panel}", ink.PLAIN)]
        if row and sum(len(text) for text, _ in [*row, *item]) > width:
            yield row
            row = []
        row += item
    if row:
        yield row


def _keys(group: Sequence[Command], keymap: Keymap) -> str:
    """The keys of commands: the first key of each, then the others if there is room."""
    ranks = zip_longest(*(keymap.get(command.name) or [""] for command in group))
    first, *others = ([key_name(key) for key in rank if key] for rank in ranks)
    keys = " ".join(chain(first, *others))
    return keys if len(keys) <= KEYS else " ".join(first)


def _together(commands: Sequence[Command]) -> Iterator[list[Command]]:
    """Group neighbours that differ in one word only: next event, previous event."""
    group: list[Command] = []
    for command in commands:
        texts = [each.brief for each in (*group, command)]
        if group and sum(len(words) > 1 for words in _by_place(texts)) != 1:
            yield group
            group = []
        group.append(command)
    yield group


def _joined(texts: Sequence[str]) -> str:
    """Join texts that differ in one word only: `next/previous event`."""
    words = _by_place(texts)
    return " ".join("/".join(w) if len(w) < 4 else f"{w[0]} … {w[-1]}" for w in words)


def _by_place(texts: Sequence[str]) -> list[list[str]]:
    """The different first words of texts, the different second words, and so on."""
    places = zip_longest(*(text.split() for text in texts), fillvalue="")
    return [list(dict.fromkeys(words)) for words in places]


def entry_text(entry: Entry) -> Content:
    """Return a word with all that the glossary has on it."""
    return ink.lines(
        [(entry.meaning, ink.PLAIN)],
        [],
        [(entry.example, ink.PLAIN)],
        [(f"  {entry.command}", ink.CURRENT)],
    )


def meanings(entries: Sequence[Entry]) -> Content:
    """Return words with their meanings, and a line after them."""
    return ink.lines(
        *([(f"{entry.word}  ", ink.NAME), (entry.meaning, ink.PLAIN)] for entry in entries), []
    )


class _Groups(Static):
    """Groups of commands below each other, laid out again for each width."""

    def __init__(self, titles: Sequence[str], keymap: Keymap) -> None:
        super().__init__()
        self._titles = titles
        self._keymap = keymap

    def on_resize(self, event: events.Resize) -> None:
        """Lay them out."""
        self.update(help_text(self._titles, self._keymap, event.size.width))


class WordScreen(ReportScreen):
    """A word of the glossary."""

    def __init__(self, entry: Entry) -> None:
        super().__init__(entry.word, Static(entry_text(entry)))


class HelpScreen(ReportScreen):
    """The `words` of the step at hand, and every key and what it does."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (72, "-wide")]

    def __init__(self, keymap: Keymap, words: Sequence[Entry]) -> None:
        super().__init__(
            "Lowercase goes forward, the capital goes back",
            *([Static(meanings(words))] if words else []),
            Horizontal(*(_Groups(titles, keymap) for titles in COLUMNS)),
            Static(Content.styled("\n".join(LEGEND), ink.QUIET)),
        )
