"""Variants: the program runs again in another way, and the session goes on in that recording.

Each change can be undone and redone. A world with a bug is an edit of what the program does.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from stepgrad.engine.world import World
from stepgrad.errors import StepgradError
from stepgrad.numbers import exact
from stepgrad.recording.numbered import node_called
from stepgrad.recording.recording import Recording
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.program import Program, Variant, counterpart, written
from stepgrad.replay.session import Session
from stepgrad.replay.stops.stop import NodeStop, Stop


class EditError(StepgradError):
    """An edit that cannot be made; says what can be edited."""


NO_PROGRAM = "only a scenario can run again: in a program, change the number and run it again"
NO_WORLD = "only a scenario can run again: start a program with `stepgrad run --bug`"


def program_of(session: Session) -> Program:
    """Return the program of a session.

    Raises:
        EditError: it has none.
    """
    if session.program is None:
        raise EditError(NO_PROGRAM)
    return session.program


def go(session: Session, variant: Variant, *, continued: bool = False) -> Session:
    """Go to a variant, from which one can come back."""
    moved = _run(session, variant)
    past = session.past if continued and session.past else (*session.past, session.variant)
    return replace(moved, past=past, future=())


def _run(session: Session, variant: Variant) -> Session:
    """Run a variant of the program; all that can be kept of the session stays."""
    original = session.original or session.recording
    recording = original
    if variant != Variant():
        recording = program_of(session).run(dict(variant.edits), variant.world)
    selected = session.selected
    return replace(
        session,
        cursor=Cursor(recording).seek(session.cursor.position),
        selected=None if selected is None else counterpart(session.recording, selected, recording),
        stops=tuple(stop for each in session.stops for stop in _kept(each, session, recording)),
        edits=variant.edits,
        original=original,
        progress=None,
    )


def _kept(stop: Stop, session: Session, recording: Recording) -> list[Stop]:
    """A stop in another run: one at a node stays if the node is there, too."""
    if not isinstance(stop, NodeStop):
        return [stop]
    node = counterpart(session.recording, stop.node, recording)
    return [] if node is None else [NodeStop.at(recording, node, every=stop.every)]


def undo(session: Session) -> Session:
    """Take the last edit back."""
    if not session.past:
        return session.say("there is nothing to undo")
    *past, variant = session.past
    future = *session.future, session.variant
    return _back_to(session, variant, "undone", past=tuple(past), future=future)


def redo(session: Session) -> Session:
    """Make the last edit again that was taken back."""
    if not session.future:
        return session.say("there is nothing to redo")
    *future, variant = session.future
    past = *session.past, session.variant
    return _back_to(session, variant, "redone", past=past, future=tuple(future))


def _back_to(session: Session, variant: Variant, done: str, **history: Any) -> Session:
    """Go to a variant of the history, and say what differs there."""
    moved = _run(session, variant)
    return moved.say(f"{done}: {_step(moved, session.variant)}", **history)


def undo_edits(session: Session) -> Session:
    """Go back to the original recording."""
    if not session.changed:
        return session.say("there are no edits")
    return go(session, Variant()).say("edits undone")


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
        return go(session, Variant(session.edits)).say("the usual world again")
    try:
        world = World.read(text)
    except ValueError as error:
        raise EditError(str(error)) from None
    return go(session, Variant(session.edits, world)).say(f"{world}: {world.meaning}")


def _step(session: Session, other: Variant) -> str:
    """Say how a session differs from another variant: `x = 2`, `no bug`."""
    here = session.variant
    if here.world != other.world:
        return "no bug" if here.world is None else f"bug {here.world}"
    names = [name for name, _ in {**dict(here.edits), **dict(other.edits)}.items()
             if dict(here.edits).get(name) != dict(other.edits).get(name)]  # fmt: skip
    return ", ".join(f"{name} = {_value(session, name)}" for name in names) or "no edits"


def _value(session: Session, name: str) -> str:
    """The text of a leaf or a setting."""
    edits, program = dict(session.edits), program_of(session)
    if name in edits:
        return written(edits[name])
    node = node_called(session.recording.names(session.recording.length), name)
    if node is None:
        return program.settings.get(name, "?")
    return exact(session.recording.history.first_value(node))
