"""Knobs: a leaf is turned by steps, or set to a place on its dial, and the program runs again.

Steps are decimal: 2, 2.1, 2.2 instead of 2.2000000000000002.
"""

from __future__ import annotations

from decimal import Decimal
from math import isfinite
from typing import NamedTuple

from stepgrad.numbers import exact
from stepgrad.replay.commands.editing import leaf_name, turn
from stepgrad.replay.commands.variants import EditError, program_of
from stepgrad.replay.session import Session

COARSE, FINE = Decimal("0.1"), Decimal("0.001")
"""The steps of the keys."""

_ROUND = tuple(map(Decimal, ("1", "2", "5")))


class Dial(NamedTuple):
    """What a knob can be set to: `places` numbers, `step` apart, the first is `low`.

    A bit has two places.
    """

    low: Decimal
    step: Decimal
    places: int

    def at(self, place: int) -> float:
        """The number at a place, from 0; the nearest end, if there is no such place."""
        return float(self.low + self.step * max(0, min(place, self.places - 1)))

    def place_of(self, x: float) -> int:
        """The place nearest to a number."""
        place = round((_decimal(x) - self.low) / self.step)
        return max(0, min(place, self.places - 1))


def knob(session: Session) -> int | None:
    """Return the selected node if it can be turned."""
    node = session.selected
    if node is None or session.program is None:
        return None
    facts = session.recording.node(node)
    return None if facts.operands or facts.name is None else node


def nudge(session: Session, count: int = 1, *, step: Decimal) -> Session:
    """Turn the subject by a number of steps; a bit flips, whichever way it is turned."""
    node = session.subject
    if node is None:
        return session.say("there is no node yet")
    try:
        return turn(session, node, nudged(session, node, count, step))
    except EditError as error:
        return session.say(str(error))


def set_knob(session: Session, fresh: int = 1, *, x: float) -> Session:
    """Set the selected knob to a number; unless it is `fresh`, as a part of the edit before."""
    node = knob(session)
    if node is None:
        return session.say("no input or parameter is selected")
    return turn(session, node, x, continued=not fresh)


def nudged(session: Session, node: int, count: int, step: Decimal) -> float:
    """Return a leaf's number after a number of steps.

    Raises:
        EditError: the node is no leaf, or no step changes its number.
    """
    name = leaf_name(session, node)
    x = session.recording.history.first_value(node)
    if x in (0, 1) and program_of(session).is_bit(name):
        return 1.0 - x if count % 2 else x
    moved = float(_decimal(x) + count * step) if isfinite(x) else x
    if moved == x or not isfinite(x):
        raise EditError(f"{name} is {exact(x)}: a step of {step} does not change it")
    return moved


def dial(session: Session, node: int, places: int) -> Dial:
    """Return the dial of a leaf, with an odd number of places, at most `places`.

    Its middle is the original number, and it reaches twice as far as 0 lies from there, but at
    least 1; or as far as the number that is there by now.
    """
    name = leaf_name(session, node)
    now = session.recording.history.first_value(node)
    original = session.original or session.recording
    first = original.names(original.length).get(name)
    middle = now if first is None else original.history.first_value(first)
    if {now, middle} <= {0, 1} and program_of(session).is_bit(name):
        return Dial(Decimal(0), Decimal(1), 2)
    if not isfinite(middle):
        middle = 0.0
    reach = max(1.0, 2 * abs(middle), abs(now - middle) if isfinite(now) else 0.0)
    half = max((places - 1) // 2, 1)
    step = _rounded_up(Decimal(reach) / half)
    return Dial(_decimal(middle) - step * half, step, 2 * half + 1)


def _rounded_up(step: Decimal) -> Decimal:
    """The least of 1, 2 and 5, times a power of ten, that is no less."""
    power = Decimal(10) ** step.adjusted()
    return next((each * power for each in _ROUND if each * power >= step), 10 * power)


def _decimal(x: float) -> Decimal:
    """The number as it is written, which is the shortest that means this float."""
    return Decimal(repr(x))
