"""The list of parameters: keys that go through its lines while it has the screen to itself.

A matrix that is selected stays closed, so that one key passes all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from stepgrad.replay.graph.outline import Line, ScopeLine
from stepgrad.replay.matrices import matrix_of, parameter_lines
from stepgrad.replay.session import Session


def select_by(session: Session, lines: int) -> Session:
    """Select the parameter, or the closed matrix, that many lines below (above, if negative)."""
    shown = [line for line in parameter_lines(session) if not _is_heading(line)]
    if not shown:
        return session.say("there is no parameter to select")
    known = session.state.focus if session.selected is None else session.selected
    at = next((i for i, line in enumerate(shown) if _shows(line, known)), -1)
    target = max(0, min(at + lines, len(shown) - 1))
    if session.selected is not None and target == at:
        return session.say(f"this is the {'last' if lines > 0 else 'first'} parameter")
    line = shown[target]
    if isinstance(line, ScopeLine):
        return session.select(line.nodes[0], closed=True)
    return session.select(line)


def turn(session: Session, *, closed: bool | None = None) -> Session:
    """Close the matrix of the subject, or open it; by default, whichever it is not yet."""
    matrix = matrix_of(session.recording, session.subject)
    if matrix is None:
        return session.say("this is not an element of a matrix")
    if closed is None:
        closed = session.selected is not None and not session.in_closed
    said = f"{matrix.scope} is {'closed' if closed else 'open'}"
    return session.select(session.subject, closed=closed).say(said)


def _is_heading(line: Line) -> bool:
    return isinstance(line, ScopeLine) and not line.nodes


def _shows(line: Line, node: int | None) -> bool:
    return line.holds(node) if isinstance(line, ScopeLine) else line == node


ACTS: Mapping[str, Callable[[Session], Session]] = {
    "select_up": partial(select_by, lines=-1),
    "select_down": partial(select_by, lines=1),
    "fold": turn,
    "scope_out": partial(turn, closed=True),
    "scope_in": partial(turn, closed=False),
}
"""What these commands do there."""
