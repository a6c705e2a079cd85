"""What if a number were another? The program runs again, and the session goes on in what came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import isinf

from stepgrad.errors import StepgradError
from stepgrad.numbers import exact, typed
from stepgrad.recording.recording import Recording
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.session import Session
from stepgrad.replay.stops import NodeStop
from stepgrad.replay.titles import title


class EditError(StepgradError):
    """An edit that cannot be made; says what can be edited."""


def edit(session: Session, text: str) -> Session:
    """Run the program again with another number: `0.7` for the subject, or `w1 = 0.7`.

    Nothing at all flips a 0 to 1 and a 1 to 0. The position stays.

    Raises:
        EditError: there is no such leaf, or no such number.
    """
    if session.program is None:
        raise EditError(
            "only a scenario can run again with another number: "
            "change a program where it says the number, and run that"
        )
    left, equals, right = text.rpartition("=")
    name = left.strip() if equals else None
    node = _named(session, name) if name else session.subject
    if node is None or session.recording.node(node).operands:
        called = name or (title(session.recording, node) if node is not None else "nothing")
        raise EditError(f"{called} is no input and no parameter; only those can be edited")
    name = session.recording.node(node).name
    if name is None:
        raise EditError("this number has no name in the program")
    number = _number(right) if right.strip() else _flipped(session.recording, node, name)
    return _rerun(session, {**dict(session.edits), name: number}, f"{name} = {exact(number)}")


def _named(session: Session, name: str) -> int | None:
    """The node of this name: of several the one made last, or else the first to come."""
    node = session.state.find(name)
    if node is None and name in session.recording.names(session.recording.length):
        return session.recording.first_named(name)
    return node


def undo_edits(session: Session) -> Session:
    """Go back to the original recording."""
    if not session.edits:
        return session.say("nothing was edited")
    return _rerun(session, {}, "the original again")


def _rerun(session: Session, edits: Mapping[str, float], said: str) -> Session:
    assert session.program is not None, "checked by whoever edits"
    original = session.original or session.recording
    recording = session.program(edits) if edits else original
    return replace(
        session,
        cursor=Cursor(recording).seek(session.cursor.position),
        selected=_counterpart(session.recording, session.selected, recording),
        stops=tuple(stop for stop in session.stops if not isinstance(stop, NodeStop)),
        edits=tuple(edits.items()),
        original=original,
        progress=None,
        said=said,
    )


def _counterpart(recording: Recording, node: int | None, other: Recording) -> int | None:
    """The same node in another run; None where there is none that is called so."""
    if node is None or node >= other.size:
        return None
    return node if other.node(node).name == recording.node(node).name else None


def _flipped(recording: Recording, node: int, name: str) -> float:
    bit = recording.history.first_value(node)
    if bit not in (0, 1):
        raise EditError(
            f"{name} is {exact(bit)}, and only a 0 or a 1 flips: write a number, as in {name} = 0.7"
        )
    return 1.0 - bit


def _number(text: str) -> float:
    try:
        given, _ = typed(text)
    except ValueError as error:
        raise EditError(str(error)) from None
    number = float(given)
    if isinf(number) and given.is_finite():
        raise EditError(f"{text.strip()} is beyond the largest number; write inf if you mean that")
    return number
