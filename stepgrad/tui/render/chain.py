"""The chain line: what the current event did, in mathematics."""

import re
from collections.abc import Mapping, Sequence

from rich.cells import cell_len
from textual.content import Content

from stepgrad.printable import printable
from stepgrad.recording import events
from stepgrad.recording.recording import Recording
from stepgrad.replay.commands.hints import Keymap, key, with_keys
from stepgrad.replay.commands.table import KEYS
from stepgrad.replay.state import State
from stepgrad.replay.telling.narration import Narration, narrate
from stepgrad.replay.telling.titles import short_title, title
from stepgrad.tui.render import ink

ROWS = 3
"""How many lines the panel has."""

_OPERATOR = re.compile(r"(?<= )([·+−/=←]|\+=|−=) ")
_TIE = "\N{BRAILLE PATTERN BLANK}"
"""In place of the space between an operator and what it is before."""


def chain(recording: Recording, position: int, width: int, keys: Keymap = KEYS) -> Content:
    """Return symbols over numbers, and the effects at the right of them or in a line below.

    Where not all of this has room, the effects come apart, then the symbols are cut, the effects
    last. Of numbers that are too long, the first steps are left out, not the result. At the start,
    a hint names two `keys`.
    """
    if not position:
        rows = _hint(recording, keys)
        return Content("\n").join(row.truncate(width, ellipsis=True) for row in rows)
    told = narrate(recording, position - 1)
    while len(told.steps) > 1 and cell_len(told.numbers) > width:
        told = told._replace(steps=told.steps[1:])
    phase = recording.events[position - 1].phase
    together, apart = [told.effect] if told.effect else [], told.effects
    for effects, room in ((together, ROWS), (apart, ROWS), (apart, ROWS - 1), (apart, ROWS - 2)):
        rows = _laid_out(told, ink.PHASES.get(phase, ""), effects, width, room)
        if len(rows) <= ROWS and rows[-1].cell_length <= width:
            break
    return Content("\n").join(row.truncate(width, ellipsis=True) for row in rows)


def node_at(recording: Recording, position: int, width: int, x: int, y: int) -> int | None:
    """Return the node whose name is in a cell of the panel, if any."""
    rows = chain(recording, position, width).plain.split("\n")
    names = _names(recording, position - 1) if position else {}
    if not names or not 0 <= y < len(rows):
        return None
    longest = sorted(names, key=len, reverse=True)  # `w2·h` contains `h`
    written = re.compile(rf"(?<!\w)[d∂]?({'|'.join(map(re.escape, longest))})(?!\w)")
    for match in written.finditer(rows[y]):
        start, end = (cell_len(rows[y][:at]) for at in match.span(1))
        if start <= x < end:
            return names[match[1]]
    return None


def _names(recording: Recording, index: int) -> Mapping[str, int]:
    """The nodes that an event is about, by the names that they have in its notation."""
    event, nodes = recording.events[index], []
    match event:
        case events.Op(node=node, operands=operands):
            nodes = [*operands, node]
        case events.Accumulate(node=node, out=out):
            root = State(recording, index + 1).root
            nodes = [*([] if root is None else [root]), *recording.node(out).operands, out, node]
        case _ if event.focus is not None:
            nodes = [event.focus]
    return {
        printable(name): node
        for node in nodes
        if not recording.is_constant(node)
        for name in (title(recording, node), short_title(recording, node))
    }


def _hint(recording: Recording, keys: Keymap) -> list[Content]:
    step, help_ = (with_keys(key(name), keys) for name in ("step", "help"))
    return [
        ink.line((recording.title or "Nothing has happened yet.", ink.NAME)),
        ink.line(
            ("Press ", ink.QUIET),
            (step, ink.CURRENT),
            (" for the first event, ", ink.QUIET),
            (help_, ink.CURRENT),
            (" for help.", ink.QUIET),
        ),
    ]


def _laid_out(
    told: Narration, style: str, effects: Sequence[str], width: int, room: int
) -> list[Content]:
    """Lay out symbols in at most `room` rows, numbers in one, and the effects.

    A row of symbols may begin with an operator, and never ends with one.
    Each effect is at the right end of the numbers or of the symbols; those that have no room there
    share a row.
    """
    tied = _OPERATOR.sub(rf"\1{_TIE}", told.symbols)
    wrapped = ink.line((tied, ink.NAME)).wrap(max(width, 2))
    symbols = [ink.line((row.plain.replace(_TIE, " "), ink.NAME)) for row in wrapped]
    if len(symbols) > room:
        rest = " ".join(row.plain for row in symbols[room - 1 :])
        symbols[room - 1 :] = [ink.line((rest, ink.NAME)).truncate(width, ellipsis=True)]
    numbers = [ink.line((told.numbers, style)).truncate(width, ellipsis=True)]
    numbers = numbers if told.numbers else []
    below = [
        effect
        for effect in effects
        if not any(_set_right(rows, effect, width) for rows in (numbers, symbols))
    ]
    under = [ink.line((", ".join(below), ink.QUIET))] if below else []
    return [*symbols, *numbers, *under]


def _set_right(rows: list[Content], effect: str, width: int) -> bool:
    """Put an effect at the right end of the last row, if it has room."""
    text = ink.line((effect, ink.QUIET))
    gap = width - rows[-1].cell_length - text.cell_length if rows else 0
    if gap >= 2:
        rows[-1] = rows[-1] + " " * gap + text
    return gap >= 2
