"""The commands: one table for the screen, the headless script, the help and the docs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from stepgrad.errors import StepgradError, suggest
from stepgrad.replay.cursor import Cursor


class CommandError(StepgradError):
    """A command that does not exist, or cannot be carried out; says what would do."""


@dataclass(frozen=True, slots=True)
class Command:
    """A row of the table.

    `keys` are the default ones, the first is the one to show; `help` says what it does, `label` is
    the same in one word, for the foot of the screen, or empty; `move` is what it does to the
    cursor, None where it is the screen's own business.
    """

    name: str
    keys: tuple[str, ...]
    help: str
    label: str = ""
    move: Callable[[Cursor], Cursor] | None = None


def _start(cursor: Cursor) -> Cursor:
    return cursor.seek(0)


def _end(cursor: Cursor) -> Cursor:
    return cursor.seek(cursor.recording.length)


def _back(cursor: Cursor) -> Cursor:
    return cursor.step(-1)


COMMANDS = (
    Command("step", ("s", "right"), "next event: one edge of the chain rule", "step", Cursor.step),
    Command("step_back", ("S", "left"), "previous event", "back", _back),
    Command("next_node", ("n",), "next node: all its edges at once", "node", Cursor.next_node),
    Command("previous_node", ("N",), "previous node", "", Cursor.previous_node),
    Command("phase_end", ("f",), "to the end of the phase", "phase", Cursor.phase_end),
    Command("phase_start", ("F",), "to the start of the phase", "", Cursor.phase_start),
    Command("next_step", ("t",), "same place in the next training step", "train", Cursor.next_step),
    Command(
        "previous_step", ("T",), "same place in the training step before", "", Cursor.previous_step
    ),
    Command("continue", ("c",), "continue to the end", "", _end),
    Command("reverse_continue", ("C",), "run back to the start", "", _start),
    Command("start", ("g", "home"), "to the start of the recording", "", _start),
    Command("end", ("G", "end"), "to its end", "", _end),
    Command("goto", (":",), "go to :14, :50%, :step 20 or :w1", "go to"),
    Command("select_up", ("up", "k"), "select the node above"),
    Command("select_down", ("down", "j"), "select the node below"),
    Command("jump", ("enter",), "go to where the selected node was made"),
    Command("follow", ("escape",), "let go of the selection: follow the cursor"),
    Command("help", ("?", "f1"), "this help", "help"),
    Command("quit", ("q",), "quit", "quit"),
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
    if re.fullmatch(r"-?\d{1,4000}", text, re.ASCII):
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
