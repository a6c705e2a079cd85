"""Stopping: at a node, at every change of it, or where a condition holds."""

from __future__ import annotations

from stepgrad.replay.commands.hints import key
from stepgrad.replay.session import Session
from stepgrad.replay.stops.stop import NodeStop, find


def run(session: Session, *, forward: bool) -> Session:
    """Go on, or back, to the next place to stop, or to the end."""
    position = session.cursor.position
    end = session.recording.length if forward else 0
    start = position if forward else position - 1
    found = find(session.recording, session.stops, start, forward=forward) if start >= 0 else None
    if found is not None:
        index, stop = found
        return session.go(session.cursor.seek(index + 1), f"stopped: {stop.text}")
    which = "end" if forward else "start"
    why = "no stop on the way" if session.stops else f"no stops are set ({key('break')} sets one)"
    return session.go(session.cursor.seek(end), f"{why}: this is the {which}")


def toggle_stop(session: Session, *, every: bool) -> Session:
    """Add a stop at the subject (or at `every` change of it), or remove it.

    A stop at its counterpart in another training step is the same.
    """
    recording, node = session.recording, session.subject
    if node is None:
        return session.say("there is no node to stop at")
    stop = NodeStop.at(recording, node, every=every)
    kind, verb = ("watch", "watching") if every else ("stop", "stop at")
    rest = tuple(
        each
        for each in session.stops
        if not isinstance(each, NodeStop) or each.every != every or not each.covers(recording, node)
    )
    if rest != session.stops:
        return session.say(f"{kind} removed: {stop.text}", stops=rest)
    said = f"{verb} {stop.text}: press {key('continue')} to go there"
    return session.say(said, stops=(*session.stops, stop))


def stop_where(session: Session, condition: str) -> Session:
    """Add a stop where a condition holds, or remove it; an empty one removes all stops.

    Raises:
        ConditionError: it is not a condition.
    """
    if not condition.strip():
        said = "all stops removed" if session.stops else "no stops are set"
        return session.say(said, stops=())
    from stepgrad.replay.stops.language import Condition  # noqa: PLC0415 - few write one

    stop = Condition(condition.strip())
    if stop in session.stops:
        rest = tuple(each for each in session.stops if each != stop)
        return session.say(f"stop removed: {stop.text}", stops=rest)
    said = f"stop where {stop.text}: press {key('continue')} to go there"
    return session.say(said, stops=(*session.stops, stop))
