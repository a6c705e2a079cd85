"""The chain line: what the current event did, in mathematics."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rich.cells import cell_len
from textual.content import Content

from stepgrad.recording.recording import Recording
from stepgrad.replay.commands import KEYS
from stepgrad.replay.hints import key, with_keys
from stepgrad.replay.narrate import narrate
from stepgrad.tui.render import ink

Keys = Mapping[str, Sequence[str]]
"""The keys of each command, as they are written."""

ROWS = 3
"""How many lines the panel has."""


def chain(recording: Recording, position: int, width: int, keys: Keys = KEYS) -> Content:
    """Return symbols over numbers, with the effect at the right of whichever line has room.

    Symbols that are too long for a line may go on where a line is left. Of numbers that are too
    long, the first steps are left out, not the result. At the start, a hint names two `keys`.
    """
    if not position:
        step, help_ = (with_keys(key(name), keys) for name in ("step", "help"))
        hint = ink.lines(
            [(recording.title or "Nothing has happened yet.", ink.NAME)],
            [
                ("Press ", ink.QUIET),
                (step, ink.CURRENT),
                (" for the first event, ", ink.QUIET),
                (help_, ink.CURRENT),
                (" for help.", ink.QUIET),
            ],
        )
        return Content("\n").join(row.truncate(width, ellipsis=True) for row in hint.split("\n"))
    told = narrate(recording, position - 1)
    while len(told.steps) > 1 and cell_len(told.numbers) > width:
        told = replace(told, steps=told.steps[1:])
    phase = recording.events[position - 1].phase
    symbols = ink.line((told.symbols, ink.NAME)).wrap(max(width, 2))
    under = [ink.line((told.numbers, ink.PHASES.get(phase, "")))] if told.numbers else []
    effect = ink.line((told.effect, ink.QUIET))
    if told.effect and not any(_set_right(rows, effect, width) for rows in (under, symbols)):
        under.append(effect)
    room = ROWS - len(under)
    if len(symbols) > room:
        symbols[room - 1 :] = [symbols[room - 1] + " …"]
    return Content("\n").join(row.truncate(width, ellipsis=True) for row in (*symbols, *under))


def _set_right(rows: list[Content], text: Content, width: int) -> bool:
    """Put a text at the right end of the last row, if it has room."""
    gap = width - rows[-1].cell_length - text.cell_length if rows else 0
    if gap >= 2:
        rows[-1] = rows[-1] + " " * gap + text
    return gap >= 2
