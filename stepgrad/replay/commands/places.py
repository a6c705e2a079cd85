"""Where to go: a position, a share of the recording, a training step, or a node by its name."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple
from weakref import WeakKeyDictionary

from stepgrad.errors import StepgradError
from stepgrad.recording.recording import Recording
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.gradients.ledger import arrived
from stepgrad.replay.naming import AmbiguousNameError, find_node, near
from stepgrad.replay.state import step_number

_GRAD = ".grad"


class CommandError(StepgradError):
    """A command that does not exist or cannot be carried out; says what to do instead."""


class Place(NamedTuple):
    """A position, and the node that it was named by, if any."""

    position: int
    node: int | None = None


def goto(cursor: Cursor, where: str) -> Cursor:
    """Go to a place (see `find_place`).

    Raises:
        CommandError: there is no such place.
    """
    return cursor.seek(find_place(cursor, where).position)


def find_place(cursor: Cursor, where: str) -> Place:
    """Find `14` (a position), `50%`, `step 20` (a training step), or `w1` (where it was made).

    `w1.grad` is where its gradient is complete.

    A leading colon is allowed.

    Raises:
        CommandError: there is no such place.
    """
    text = where.strip().removeprefix(":").strip()
    if not text:
        raise CommandError("write where to go: 14, 50%, step 20, or a name")
    word, _, rest = text.partition(" ")
    if re.fullmatch(r"-?\d{1,4000}", text, re.ASCII):
        return Place(_event(cursor.recording, text))
    if text.endswith("%"):
        return Place(_share(cursor.recording, text))
    if word == "step" and rest:
        return Place(_step(cursor.recording, rest.strip()))
    return _named(cursor, text)


def _event(recording: Recording, text: str) -> int:
    length = recording.length
    if not 0 <= int(text) <= length:
        shown = text if len(text) <= 20 else f"{text[:20]}…"
        raise CommandError(f"no event {shown}: there are {length:,}; 0 is the start")
    return int(text)


def _share(recording: Recording, text: str) -> int:
    try:
        share = float(text[:-1]) / 100
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise CommandError(f"`{text}` is not a percentage from 0% to 100%")
    return round(share * recording.length)


def _step(recording: Recording, text: str) -> int:
    numbers = _step_numbers(recording)
    ordinal = numbers.get(text)
    if ordinal is None:
        known = f"they go from {next(iter(numbers))} to {list(numbers)[-1]}" if numbers else ""
        why = known or "no training in this lesson"
        raise CommandError(f"no training step `{text[:40]}`: {why}")
    return recording.steps[ordinal] + 1


@dataclass(slots=True)
class _Numbers:
    """The ordinals of the first `counted` steps by their numbers, as texts."""

    counted: int = 0
    last: int = -1  # where the last of them starts
    ordinals: dict[str, int] = field(default_factory=dict)


_numbers: WeakKeyDictionary[Recording, _Numbers] = WeakKeyDictionary()


def _step_numbers(recording: Recording) -> dict[str, int]:
    """Return the ordinals of training steps by their numbers, which marks are free to choose.

    They are kept while the recording is, and extended when it has grown.
    """
    steps = recording.steps
    known = _numbers.get(recording, _Numbers())
    # A lone step has no number until there is another, and a first mark makes all others void.
    if known.counted < 2 or steps[known.counted - 1 : known.counted] != [known.last]:
        known = _Numbers()
    for ordinal in range(known.counted, len(steps)):
        number = step_number(recording, ordinal)
        if number is not None:
            known.ordinals[str(number)] = ordinal
    known.counted, known.last = len(steps), steps[-1] if steps else -1
    _numbers[recording] = known
    return known.ordinals


def _gradient(cursor: Cursor, name: str) -> Place:
    """Find where a node's gradient is complete, in the training step of the cursor."""
    node = _named(cursor, name).node
    if node is None:
        raise CommandError(f"`{name[:80]}` is not a node, so it has no gradient")
    position = arrived(cursor.recording, node, cursor.state.step_bounds)
    if position is None:
        raise CommandError(f"{name} receives no gradient here")
    return Place(position, node)


def _named(cursor: Cursor, text: str) -> Place:
    try:
        node = find_node(cursor.state, text)
    except AmbiguousNameError as error:
        raise CommandError(str(error)) from None
    if node is not None:
        return Place(cursor.recording.history.made_at(node), node)
    if text.endswith(_GRAD):
        return _gradient(cursor, text.removesuffix(_GRAD))
    word = text.partition(" ")[0]
    if word == "step":
        raise CommandError("which step? e.g. `step 20`")
    wanted = "a position, a percentage, a step or a node"
    hint = near(cursor.state, word, "step")
    raise CommandError(f"`{text[:80]}` is not {wanted}{hint}")
