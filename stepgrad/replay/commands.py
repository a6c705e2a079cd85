"""The commands: one table for the keys on the screen, the headless script, the help and the docs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from stepgrad.errors import StepgradError, suggest
from stepgrad.replay.cursor import Cursor


class CommandError(StepgradError):
    """A command that does not exist, or cannot be carried out; says what would do."""


@dataclass(frozen=True, slots=True)
class Command:
    """A row of the table.

    `keys` are the default ones, the first is the one to show; `move` is what the command does to
    the cursor, None where it is the screen's own business.
    """

    name: str
    keys: tuple[str, ...]
    help: str
    move: Callable[[Cursor], Cursor] | None = None


COMMANDS = (
    Command("step", ("s", "right"), "next event: one edge of the chain rule", Cursor.step),
    Command("step_back", ("S", "left"), "previous event", lambda cursor: cursor.step(-1)),
    Command("next_node", ("n",), "next node: all its edges at once", Cursor.next_node),
    Command("previous_node", ("N",), "previous node", Cursor.previous_node),
    Command("phase_end", ("f",), "end of the phase", Cursor.phase_end),
    Command("phase_start", ("F",), "start of the phase", Cursor.phase_start),
    Command("next_step", ("t",), "next training step, same place", Cursor.next_step),
    Command("previous_step", ("T",), "training step before, same place", Cursor.previous_step),
    Command("continue", ("c",), "continue to the end", lambda c: c.seek(c.recording.length)),
    Command("reverse_continue", ("C",), "run back to the start", lambda c: c.seek(0)),
    Command("start", ("g", "home"), "the start of the recording", lambda c: c.seek(0)),
    Command("end", ("G", "end"), "the end", lambda c: c.seek(c.recording.length)),
    Command("goto", (":",), "go to :14, :50%, :step 20, :w1"),
    Command("help", ("?", "f1"), "this help"),
    Command("quit", ("q",), "quit"),
)
"""Lowercase goes forward, the capital goes back."""

BY_KEY: Mapping[str, Command] = {key: command for command in COMMANDS for key in command.keys}


def replay(cursor: Cursor, keys: Iterable[str]) -> Cursor:
    """Carry out a script of keys: those of the table that move, and `:position`.

    Raises:
        CommandError: a key is none of the table, or not one that moves.
    """
    for key in keys:
        if key.startswith(":") and len(key) > 1:
            cursor = goto(cursor, key)
            continue
        command = BY_KEY.get(key)
        if command is None or command.move is None:
            moving = [each.keys[0] for each in COMMANDS if each.move]
            raise CommandError(
                f"no command for the key `{key}`; the keys that move are {' '.join(moving)}, "
                "and :14, :50%, ':step 20', :w1"
            )
        cursor = command.move(cursor)
    return cursor


def goto(cursor: Cursor, where: str) -> Cursor:
    """Go to `14` (a position), `50%`, `step 20` (a training step), or `w1` (where it was made).

    A leading colon is allowed. Of several nodes so named, the last one made by now is meant, else
    the first to come.

    Raises:
        CommandError: there is no such place.
    """
    text = where.strip().removeprefix(":").strip()
    word, _, rest = text.partition(" ")
    if text.lstrip("-").isdecimal():
        return cursor.seek(int(text))
    if text.endswith("%"):
        return _goto_share(cursor, text)
    if word == "step" and rest:
        return _goto_step(cursor, rest.strip())
    return _goto_name(cursor, text)


def _goto_share(cursor: Cursor, text: str) -> Cursor:
    try:
        share = float(text[:-1]) / 100
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise CommandError(f"`{text}` is no percentage from 0% to 100%")
    return cursor.seek(round(share * cursor.recording.length))


def _goto_step(cursor: Cursor, text: str) -> Cursor:
    steps = {str(cursor.seek(start + 1).state.step): start for start in cursor.recording.steps}
    if text not in steps:
        known = f"from {next(iter(steps))} to {list(steps)[-1]}" if steps else "here is none"
        raise CommandError(f"no training step `{text}`: {known}")
    return cursor.seek(steps[text] + 1)


def _goto_name(cursor: Cursor, text: str) -> Cursor:
    recording = cursor.recording
    node = cursor.state.find(text)
    if node is None:
        everywhere = recording.names(recording.length)
        if text not in everywhere:
            raise CommandError(
                f"`{text}` is no position, percentage, step or name{suggest(text, everywhere)}"
            )
        node = recording.first_named(text)
    return cursor.seek(recording.history.made_at(node))
