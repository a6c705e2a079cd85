"""What is of use at a moment: of many commands the few that the foot of a screen names."""

from __future__ import annotations

from collections.abc import Iterator

from stepgrad.recording.recording import Recording
from stepgrad.replay.commands.table import PANELS
from stepgrad.replay.session import Session
from stepgrad.replay.training import parameters, trains

ALWAYS = "help", "quit"
"""What is of use at every moment. A foot without room for all commands keeps these."""


def of_the_moment(session: Session, *, lesson: bool, verdicts: int) -> tuple[str, ...]:
    """Return the names of the commands that are of use now, the most useful first.

    A command that would only say that it cannot work is not among them. `verdicts` is how many the
    recording gets.
    """
    if session.selected is None:
        useful = [*_moving(session), *_asking(session, verdicts), *["show_lesson"] * lesson]
    else:
        useful = [*_acting(session, session.selected), *["verdicts"] * (verdicts > 0)]
    return *useful, *ALWAYS


def _moving(session: Session) -> Iterator[str]:
    """Yield what moves to where there is something."""
    at_start = session.cursor.position == 0
    at_end = session.cursor.position == session.recording.length
    if not at_end:
        yield "step"
    if not at_start:
        yield "step_back"
    if not at_end:
        yield from ("next_node", "phase_end")
    ordinal = session.state.step_ordinal
    further = -1 if ordinal is None else ordinal
    if further + 1 < len(session.recording.steps) and trains(session.recording):
        yield "next_step"
    if session.stops and not at_end:
        yield "continue"
    if session.bookmarks:
        yield "next_bookmark"
    if not (at_start or at_end):
        yield "predict"


def _asking(session: Session, verdicts: int) -> Iterator[str]:
    """Yield what says more about the recording, and what undoes what has been done to it."""
    if session.changed:
        yield from ("difference", "undo_edits")
    if verdicts:
        yield from ("verdicts", "why")


def _acting(session: Session, node: int) -> Iterator[str]:
    """Yield what acts on the selected node, and what ends that."""
    state, facts = session.state, session.recording.node(node)
    if session.recording.history.made_at(node) != state.position:
        yield "jump"
    if session.program is not None and not facts.operands and facts.name is not None:
        yield from ("edit", "nudge_up")
    if session.sought:
        yield "next_hit"
    if session.changed:
        yield from ("difference", "undo_edits")
    yield "follow"
    if state.value(node) is not None:
        yield "why"
        if state.destination is not None:
            yield "paths"
    if state.grad(node) is not None:
        yield "who_wrote"
    yield from ("watch", "step", "next_node")


def panels(recording: Recording, *, lesson: bool) -> tuple[str, ...]:
    """Return the panels that have something to show, in the order of their keys."""
    filled = {
        "source": bool(recording.sources),
        "lesson": lesson,
        "parameters": bool(parameters(recording)),
        "training": trains(recording),
    }
    return tuple(panel for panel in PANELS if filled.get(panel, True))
