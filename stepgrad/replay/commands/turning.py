"""Knobs: a leaf is turned by steps, or set to a place on its dial, and the program runs again.

Steps are decimal: 2, 2.1, 2.2 instead of 2.2000000000000002.
"""

from __future__ import annotations

from fractions import Fraction
from math import floor, isfinite, log10
from typing import NamedTuple

from stepgrad.numbers import exact
from stepgrad.replay.commands.editing import leaf_name, original_value, turn
from stepgrad.replay.commands.variants import EditError, program_of
from stepgrad.replay.session import Session

COARSE, FINE = Fraction("0.1"), Fraction("0.001")
"""The steps of the keys."""


class Dial(NamedTuple):
    """What a knob can be set to: `places` numbers, `step` apart, of which one is the `origin`.

    That is at place `-first`. A bit has two places.
    """

    origin: Fraction
    step: Fraction
    first: int
    places: int

    def at(self, place: int) -> float:
        """The number at a place, from 0; the nearest end, if there is no such place."""
        return float(self.origin + self.step * (max(0, min(place, self.places - 1)) + self.first))

    def place_of(self, x: float) -> int:
        """The place nearest to a number."""
        place = round((Fraction(repr(x)) - self.origin) / self.step) - self.first
        return max(0, min(place, self.places - 1))


def knob(session: Session) -> int | None:
    """Return the selected node if it can be turned."""
    node = session.selected
    if node is None or session.program is None:
        return None
    facts = session.recording.node(node)
    return None if facts.operands or facts.name is None else node


def nudge(session: Session, count: int = 1, *, step: Fraction) -> Session:
    """Turn the subject by a number of steps; a bit flips, whichever way it is turned."""
    node = session.subject
    if node is None:
        return session.say("there is no node yet")
    try:
        return turn(session, node, nudged(session, node, count, step))
    except EditError as error:
        return session.say(str(error))


def set_knob(session: Session, fresh: int, *, x: float) -> Session:
    """Set the selected knob to a number; unless it is `fresh`, as a part of the edit before."""
    node = knob(session)
    if node is None:
        return session.say("no input or parameter is selected")
    return turn(session, node, x, continued=not fresh)


def nudged(session: Session, node: int, count: int, step: Fraction) -> float:
    """Return a leaf's number after a number of steps.

    Raises:
        EditError: the node is not a leaf, or a step does not change its number.
    """
    name = leaf_name(session, node)
    x = session.recording.history.first_value(node)
    if x in (0, 1) and program_of(session).is_bit(name):
        return 1.0 - x if count % 2 else x
    moved = float(_exactly(x, original_value(session, name)) + count * step) if isfinite(x) else x
    if moved == x or not isfinite(x):
        raise EditError(f"{name} is {exact(x)}: a step of {float(abs(step))} does not change it")
    return moved


def dial(session: Session, node: int, places: int) -> Dial:
    """Return the dial of a leaf, with an odd number of places, at most `places`.

    Its middle is the original number, and it reaches twice as far as 0 lies from there, but at
    least 1; or as far as the number that is there by now.
    """
    name = leaf_name(session, node)
    now = session.recording.history.first_value(node)
    middle = original_value(session, name)
    middle = now if middle is None else middle
    if {now, middle} <= {0, 1} and program_of(session).is_bit(name):
        return Dial(Fraction(0), Fraction(1), 0, 2)
    if not isfinite(middle):
        middle = 0.0
    reach = max(1.0, 2 * abs(middle), abs(now - middle) if isfinite(now) else 0.0)
    half = max((places - 1) // 2, 1)
    step = _rounded_up(Fraction(reach) / half)
    return Dial(Fraction(repr(middle)), step, -half, 2 * half + 1)


def _rounded_up(step: Fraction) -> Fraction:
    """The least of 1, 2 and 5, times a power of ten, that is no less."""
    power = Fraction(10) ** floor(log10(step))
    return next(each * power for each in (1, 2, 5, 10) if each * power >= step)


def _exactly(x: float, original: float | None) -> Fraction:
    """The number as it is written, or a number of steps from the original.

    With all the digits that a float has, a step is rounded. Counted from the original, as many
    steps back lead to the same number.
    """
    written = Fraction(repr(x))
    if original is None or not isfinite(original):
        return written
    base = Fraction(repr(original))
    counted = base + round((written - base) / FINE) * FINE
    return counted if float(counted) == x else written
