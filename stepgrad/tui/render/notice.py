"""The line that says what is out of view, and which keys show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.cells import cell_len
from textual.content import Content

from stepgrad.tui.render import ink

Keymap = Mapping[str, Sequence[str]]
"""The keys of each command, as they are written."""

EMPTY = {
    "lesson": "no lesson comes with this recording",
    "source": "no source is known",
    "parameters": "no training in this recording",
    "training": "no training in this recording",
}
"""Why a panel may have nothing to show."""


def hidden(panels: Sequence[str], keys: Keymap, width: int) -> Content:
    """Name panels that have no room, in as many lines as it takes; a click on one shows it."""
    rows: list[list[ink.Span]] = [[("hidden:", ink.QUIET)]]
    for panel in panels:
        does = ink.doing(f"show_{panel}")
        for key in keys.get(f"show_{panel}", ())[:1]:
            item = [(f"  {key}", f"{ink.CURRENT} {does}"), (f" {panel}", f"{ink.QUIET} {does}")]
            if sum(cell_len(text) for text, _ in [*rows[-1], *item]) > width:
                rows.append([(" " * len("hidden:"), "")])
            rows[-1] += item
    return ink.lines(*rows)


def small(keys: Keymap) -> Content:
    """Say of a small terminal that there would be more."""
    return _joined("small terminal: 60×20 shows more", *_hint("help", "help", keys))


def alone(panel: str, keys: Keymap, *, scrolls: bool) -> Content:
    """Say how to leave a panel that is shown alone, and how to scroll it if it scrolls."""
    both = [*keys.get(f"show_{panel}", ())[:1], "Esc"]
    parts = [f"{panel} only: {' or '.join(both)} shows all panels"]
    if scrolls:
        arrows = (key for way in ("select_up", "select_down") for key in keys.get(way, ())[:1])
        parts.append(f"{' '.join([*arrows, 'PgUp', 'PgDn'])} scroll")
    return _joined(*parts)


def _hint(command: str, does: str, keys: Keymap) -> list[str]:
    return [f"{key} {does}" for key in keys.get(command, ())[:1]]


def _joined(*parts: str) -> Content:
    return ink.line((" · ".join(parts), ink.QUIET))
