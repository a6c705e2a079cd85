"""A lesson as HTML: its keys are buttons, its places are links, as far as the page has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from stepgrad.markdown import reader
from stepgrad.recording.numbered import node_called
from stepgrad.recording.recording import Recording
from stepgrad.replay.commands.places import CommandError, find_place
from stepgrad.replay.commands.table import BY_NAME
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.gradients.ledger import next_write
from stepgrad.replay.lesson.marks import Key, Place, key_of, place_of

PRESSED = (
    "step", "step_back", "next_node", "previous_node", "phase_end", "phase_start", "next_step",
    "previous_step", "start", "end", "play",
)  # fmt: skip
"""The commands of the debugger that the page has, with the same keys."""


def lesson(markdown: str, recording: Recording, shown: Sequence[range]) -> str:
    """Return a lesson about a recording, of which the page has the positions `shown`."""
    tokens = reader().parse(markdown)
    for token in tokens:
        for child in token.children or ():
            if child.type == "code_inline":
                child.type = "html_inline"
                child.content = _code(child.content, recording, shown)
    return str(reader().renderer.render(tokens, reader().options, {}))


def _code(code: str, recording: Recording, shown: Sequence[range]) -> str:
    key, text = key_of(code), escape(code)
    if key is not None and key.command.name in PRESSED:
        title = escape(key.command.help)
        return f'<button class="key" data-do="{key.command.name}" title="{title}">{text}</button>'
    if key is None:
        place = place_of(code, recording)
        position = None if place is None else _position(place, recording, shown)
    else:
        position = _asked(key, recording)
    if position is not None and any(position in each for each in shown):
        return f'<a href="#{position}"><code>{text}</code></a>'
    if key is not None:
        title = escape(f"in the terminal: {key.command.help}")
        return f'<kbd title="{title}">{text}</kbd>'
    return f"<code>{text}</code>"


def _position(place: Place, recording: Recording, shown: Sequence[range]) -> int | None:
    """Return where a place is first reached in a shown step; a phase comes again and again."""
    if place.event is not None:
        return place.event
    found = (node_called(recording.names(each[-1]), place.node) for each in shown)
    node = next((node for node in found if node is not None), None)
    if node is None:
        return None
    made = recording.history.made_at(node)
    if not place.gradient:
        return made
    index = next_write(recording, node, made)
    return None if index is None else index + 1


def _asked(key: Key, recording: Recording) -> int | None:
    """Return the position that a key goes to with what is typed after it, if it goes to one."""
    if key.command is not BY_NAME["goto"] or not key.answer:
        return None
    try:
        return find_place(Cursor(recording), key.answer).position
    except CommandError:
        return None


def keys() -> Mapping[str, str]:
    """Return the keys of the page, as the table names them, each with its command."""
    return {key: name for name in PRESSED for key in BY_NAME[name].keys}
