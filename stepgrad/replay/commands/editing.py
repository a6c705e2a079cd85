"""Edits: the program runs again with another value, and the session goes on in that recording.

A world with a bug is an edit of another kind: of what the program does, not of a number in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import isinf

from stepgrad.engine.world import World
from stepgrad.errors import StepgradError
from stepgrad.numbers import exact, typed
from stepgrad.recording.recording import Recording
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.naming import AmbiguousNameError, find_node, near
from stepgrad.replay.session import Session
from stepgrad.replay.stops.stop import NodeStop
from stepgrad.replay.telling.titles import title


class EditError(StepgradError):
    """An edit that cannot be made; says what can be edited."""


NO_PROGRAM = "only a scenario can run again: in a program, change the number and run it again"
NO_WORLD = "only a scenario can run again: start a program with `stepgrad run --bug`"


def ask(session: Session) -> tuple[Session, str]:
    """Return what to ask before an edit: it names the target, or says why it cannot be edited."""
    if session.program is None:
        return session.say(NO_PROGRAM), ""
    node, recording = session.subject, session.recording
    if node is None:
        return session, "Which input or parameter?"
    facts, name = recording.node(node), title(recording, node)
    if facts.operands or facts.name is None:
        why = "is computed" if facts.operands else "has no name in the program"
        return session, f"{name} {why}, so it cannot be edited. Which input or parameter?"
    return session, f"{name} = {exact(recording.history.first_value(node))}. What value instead?"


def edit(session: Session, text: str) -> Session:
    """Run the program again with another value: `0.7` for the subject, or `w1 = 0.7`.

    An empty text flips a 0 to 1 and a 1 to 0. The position stays. The number that the program has
    by itself is no edit.

    Raises:
        EditError: there is no such input or parameter, or no such number.
    """
    if session.program is None:
        raise EditError(NO_PROGRAM)
    left, equals, right = text.rpartition("=")
    name = left.strip() if equals else None
    node = _named(session, name) if name else session.subject
    if node is None:
        raise EditError("name an input or a parameter, as in w1 = 0.7")
    facts, called = session.recording.node(node), title(session.recording, node)
    if facts.operands:
        raise EditError(f"{called} is computed: only inputs and parameters can be edited")
    name = facts.name
    if name is None:
        raise EditError(f"{called} has no name in the program, so it cannot be edited")
    number = _number(right) if right.strip() else _flipped(session.recording, node, name)
    if _is(session.recording, node, number):
        return session.say(f"{name} is {exact(number)} already")
    edits = {**dict(session.edits), name: number}
    original = session.original or session.recording
    unedited = original.names(original.length).get(name)
    if unedited is not None and _is(original, unedited, number):
        del edits[name]
    return _rerun(session, edits, session.recording.world, f"{name} = {exact(number)}")


def _is(recording: Recording, node: int, number: float) -> bool:
    """Whether a node is made with this very number; 0 is not −0, and nan is nan."""
    return repr(recording.history.first_value(node)) == repr(number)


def _named(session: Session, name: str) -> int:
    try:
        node = find_node(session.state, name)
    except AmbiguousNameError as error:
        raise EditError(str(error)) from None
    if node is None:
        hint = near(session.state, name)
        raise EditError(f"no input or parameter is called {name}{hint}")
    return node


def ask_world(session: Session) -> tuple[Session, str]:
    """Return what to ask before a change of world, or say why there can be none."""
    if session.program is None:
        return session.say(NO_WORLD), ""
    return session, "Which bug?"


def change_world(session: Session, text: str) -> Session:
    """Run the program again in a world with a bug: `overwrite`, `shut h1`, `skip_update 3`.

    An empty text leads back to the usual world. The position stays.

    Raises:
        EditError: the program cannot run again, or there is no such world.
        WorldError: there is no such gate in the program.
    """
    if session.program is None:
        raise EditError(NO_WORLD)
    if session.recording.world is not None and not text.strip():
        return _rerun(session, dict(session.edits), None, "the usual world again")
    try:
        world = World.read(text)
    except ValueError as error:
        raise EditError(str(error)) from None
    return _rerun(session, dict(session.edits), world, f"{world}: {world.meaning}")


def undo_edits(session: Session) -> Session:
    """Go back to the original recording."""
    if not session.changed:
        return session.say("there are no edits")
    return _rerun(session, {}, None, "edits undone")


def _rerun(session: Session, edits: Mapping[str, float], world: World | None, said: str) -> Session:
    assert session.program is not None, "checked by whoever edits"
    original = session.original or session.recording
    recording = session.program(edits, world) if edits or world else original
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
    """The node at the same place in another run; None if it has another name there."""
    if node is None or node >= other.size:
        return None
    return node if other.node(node).name == recording.node(node).name else None


def _flipped(recording: Recording, node: int, name: str) -> float:
    bit = recording.history.first_value(node)
    if bit not in (0, 1):
        raise EditError(
            f"{name} is {exact(bit)}, and only 0 and 1 flip: write a number, as in {name} = 0.7"
        )
    return 1.0 - bit


def _number(text: str) -> float:
    try:
        given, _ = typed(text)
    except ValueError as error:
        raise EditError(str(error)) from None
    number = float(given)
    if isinf(number) and given.is_finite():
        raise EditError(f"{text.strip()} is too large for a float; write inf if you mean infinity")
    return number
