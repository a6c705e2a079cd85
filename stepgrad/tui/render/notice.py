"""The line that says what is out of view, and which keys show it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content

from stepgrad.replay.commands.hints import Keymap
from stepgrad.tui.render import ink

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


def small(keys: Keymap, width: int) -> Content:
    """Say of a small terminal that there would be more."""
    help_ = [f"{key} help" for key in keys.get("help", ())[:1]]
    return _line(width, ["small terminal: 60×20 shows more", *help_], ["60×20 shows more", *help_])


def alone(panel: str, keys: Keymap, width: int, *, scrolls: bool) -> Content:
    """Say how to leave a panel that is shown alone, and how to scroll it if it scrolls."""
    both = " or ".join([*keys.get(f"show_{panel}", ())[:1], "Esc"])
    arrows = [key for way in ("select_up", "select_down") for key in keys.get(way, ())[:1]]
    scroll = [f"{' '.join([*arrows, 'PgUp', 'PgDn'])} scroll"] * scrolls
    return _line(
        width,
        [f"{panel} only: {both} shows all panels", *scroll],
        [f"{both}: all panels", *scroll],
    )


def _line(width: int, *ways: Sequence[str]) -> Content:
    """Say something in one line, in the first of the ways that has room."""
    said = [" · ".join(way) for way in ways]
    fits = next((text for text in said if cell_len(text) <= width), said[-1])
    return ink.line((fits, ink.QUIET)).truncate(max(width, 1), ellipsis=True)
