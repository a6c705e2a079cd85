"""The chain line: what the current event did, in mathematics."""

from textual.content import Content

from stepgrad.recording.recording import Recording
from stepgrad.replay.narrate import narrate
from stepgrad.tui.render import ink


def chain(recording: Recording, position: int, width: int) -> Content:
    """Return symbols over numbers, with the effect at the right of whichever line has room."""
    if not position:
        return ink.lines(
            [(recording.title or "Nothing has happened yet.", ink.NAME)],
            [
                ("Press ", ink.QUIET),
                ("s", ink.CURRENT),
                (" for the first event, ", ink.QUIET),
                ("?", ink.CURRENT),
                (" for help.", ink.QUIET),
            ],
        )
    told = narrate(recording, position - 1)
    phase = recording.events[position - 1].phase
    symbols = Content.styled(told.symbols, ink.NAME)
    numbers = Content.styled(told.numbers, ink.PHASES.get(phase, ""))
    effect = Content.styled(told.effect, ink.QUIET)
    rows = [symbols, numbers] if told.numbers else [symbols]
    if not told.effect:
        return Content("\n").join(rows)
    for i in (len(rows) - 1, 0):
        gap = width - rows[i].cell_length - effect.cell_length
        if gap >= 2:
            rows[i] = rows[i] + " " * gap + effect
            return Content("\n").join(rows)
    return Content("\n").join([*rows, effect])
