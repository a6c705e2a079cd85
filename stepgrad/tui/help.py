"""The help: every key and what it does, from the table of commands alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, zip_longest
from textwrap import wrap

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from stepgrad.replay.commands.table import GROUPS, Command
from stepgrad.tui.dialogs import Dialog
from stepgrad.tui.keymap import Keymap, key_name
from stepgrad.tui.render import ink

KEYS = 9
"""Cells for the keys of a command."""
ROOMY = 58
"""From this width of a column on, every command is explained in full."""
_TWO_COLUMNS = 72
_GAP = 1

LEGEND = (
    "▶ forward  ◀ backward  × zero  = set  △ update  ● stop  ◆ bookmark  ▁▅ size",
    "gradient: – not reached yet  0 arrived, is zero  ∅ never reached",
    "dL/dh: the whole derivative, over all paths, which h.grad holds",
    "∂z/∂h: the local one, of one operation  ∂₁b/∂a ∂₂b/∂a: a is both operands",
    "tangent: in forward mode, how fast a number changes with the seeded input",
    "received: each contribution to a gradient, and where it came from",
    "contribution 1 of 2: the first of two to this gradient",
    "checks 3/11: 11 expected values; 3 reached, all correct",
)
"""What symbols and words mean. It comes after the keys; a small screen has to scroll to it."""

_Row = list[ink.Span]


def help_text(keymap: Keymap, width: int) -> Content:
    """Return the help, `width` cells wide, in two columns where there is room for them."""
    columns = 2 if width >= _TWO_COLUMNS else 1
    cells = (width - _GAP * (columns - 1)) // columns
    gap: list[_Row] = [[]] if cells >= ROOMY else []
    blocks = [list(_block(title, keymap, cells)) for title in GROUPS]
    left, right = _halves(blocks, gap) if columns == 2 else (list(chain(*blocks)), [])
    nothing: _Row = []
    rows = [
        [*_padded(one, cells + _GAP), *two] if right else one
        for one, two in zip_longest(left, right, fillvalue=nothing)
    ]
    legend = [[(line, ink.QUIET)] for text in LEGEND for line in wrap(text, width)]
    return ink.lines(*rows, *gap, *legend)


def _block(title: str, keymap: Keymap, width: int) -> Iterator[_Row]:
    """Yield a group: its title, then its commands, with similar ones on one line."""
    alone = [command for command in GROUPS[title] if command.panel]
    yield [(title, ink.NAME), ("  one only; again for all" if alone else "", ink.QUIET)]
    yield from _panels(alone, keymap, width)
    roomy = width >= ROOMY
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


def _halves(blocks: Sequence[list[_Row]], gap: list[_Row]) -> tuple[list[_Row], list[_Row]]:
    """Divide blocks between two columns, in order, to make the longer one short."""

    def column(part: Sequence[list[_Row]]) -> list[_Row]:
        return [row for i, block in enumerate(part) for row in (gap if i else []) + block]

    cuts = [(column(blocks[:cut]), column(blocks[cut:])) for cut in range(1, len(blocks))]
    return min(cuts, key=lambda cut: max(len(cut[0]), len(cut[1])))


def _padded(row: _Row, width: int) -> _Row:
    used = Content.assemble(*row).cell_length
    return [*row, (" " * max(0, width - used), ink.PLAIN)]


class _HelpText(Static):
    """The help, laid out again for each width."""

    def __init__(self, keymap: Keymap) -> None:
        super().__init__()
        self._keymap = keymap

    def on_resize(self, event: events.Resize) -> None:
        """Lay it out."""
        self.update(help_text(self._keymap, event.size.width))


class HelpScreen(Dialog[None]):
    """Every key and what it does; a key that opens it also closes it."""

    BINDINGS = [
        Binding("escape", "dismiss", "close", priority=True),
        # With the ids of commands, so that the keys in force close what they open.
        Binding("q", "dismiss", "close", id="quit", priority=True),
        Binding("?,f1", "dismiss", "close", id="help", priority=True),
    ]

    def __init__(self, keymap: Keymap) -> None:
        super().__init__()
        self._keymap = keymap

    def compose(self) -> ComposeResult:
        """Show the table."""
        with VerticalScroll(id="help") as box:
            box.border_title = "Lowercase goes forward, the capital goes back"
            yield _HelpText(self._keymap)

    def on_mount(self) -> None:
        """Say what is further down, as long as something is."""
        box = self.query_one("#help", VerticalScroll)

        def point() -> None:
            self.call_after_refresh(pointed)  # once it is laid out

        def pointed() -> None:
            more = box.scroll_offset.y < box.max_scroll_y
            box.border_subtitle = "↓ PgDn what the signs mean · " * more + "Esc closes"

        for moved in ("scroll_y", "virtual_size"):
            self.watch(box, moved, point)
