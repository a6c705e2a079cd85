"""The slider of a selected leaf: a dial from end to end, with a mark at the original number."""

from __future__ import annotations

from textual.content import Content

from stepgrad.numbers import number
from stepgrad.replay.commands.turning import Dial, dial
from stepgrad.replay.session import Session
from stepgrad.tui.render import ink

_END, _DIGITS = 7, 3
"""Cells and digits of the number at each end."""


def slider(session: Session, node: int, width: int, held: Session | None) -> Content:
    """Return the dial of a leaf: `−2 ├────┼──●─┤ 6`.

    While it is dragged, the dial is that of the session in which it was `held` first.
    """
    shown, cells = _track(held or session, node, width)
    low, high = (number(x, _DIGITS) for x in (shown.at(0), shown.at(shown.places - 1)))
    x = session.recording.history.first_value(node)
    at = _cell(shown, shown.place_of(x), cells) if x == x else None
    middle = _cell(shown, shown.places // 2, cells) if shown.places > 2 else None
    track = "".join("●" if i == at else "┼" if i == middle else "─" for i in range(cells))
    before, knob, after = track.partition("●")
    return ink.line(
        (f"{low:>{_END}} ├", ink.QUIET),
        (before, ink.QUIET),
        (knob, ink.CURRENT),
        (after, ink.QUIET),
        (f"┤ {high}", ink.QUIET),
    ).truncate(width)


def number_at(session: Session, node: int, width: int, x: int) -> float:
    """Return the number at a column of the slider; beyond an end, that of the end."""
    shown, cells = _track(session, node, width)
    cell = max(0, min(x - _END - 2, cells - 1))
    return shown.at(round(cell * (shown.places - 1) / max(cells - 1, 1)))


def _track(session: Session, node: int, width: int) -> tuple[Dial, int]:
    """The dial that fits, and how many cells it takes between its ends."""
    cells = max(width - 2 * (_END + 2), 3)
    shown = dial(session, node, cells)
    return shown, cells if shown.places == 2 else shown.places


def _cell(shown: Dial, place: int, cells: int) -> int:
    return round(place * (cells - 1) / (shown.places - 1))
