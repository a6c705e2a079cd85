"""What a command has changed, and where the debugger is, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from stepgrad.plain.panels import chain_told, changes_told
from stepgrad.plain.words import (
    definition_of,
    name_of,
    numbers_of,
    read_message,
    read_number,
    sentence,
    told_box,
)
from stepgrad.printable import printable
from stepgrad.replay.graph.contents import Node
from stepgrad.replay.session import Session
from stepgrad.replay.telling.spoken import spoken
from stepgrad.replay.telling.titles import short_title


def news(before: Session, after: Session) -> Iterator[str]:
    """Say what a command has changed, its own message first."""
    if after.said:
        yield read_message(after.said)
    if after.recording is not before.recording:
        yield from _outcome(before, after)
    if after.cursor.position != before.cursor.position:
        yield from chain_told(after)
    elif after.selected != before.selected:
        yield from _selected(after)
    for scope in sorted(before.folded ^ after.folded):
        verb = "folded" if scope in after.folded else "open"
        yield sentence(f"Scope {spoken(printable(scope))} is {verb}")


def _selected(session: Session) -> Iterator[str]:
    """Say the node that is selected now."""
    node = session.subject
    if session.selected is None:
        yield "Nothing is selected."
    if node is None:
        return
    shown, made_of = Node(session.state, node), definition_of(session.recording, node)
    if made_of and shown.made:
        yield sentence(f"{name_of(session.recording, node)} is {made_of}")
        yield sentence(f"It is {numbers_of(shown)}")
    else:
        yield told_box(shown)


def _outcome(before: Session, after: Session) -> Iterator[str]:
    """Say what an edit makes of the output."""
    was, is_ = before.state.output, after.state.output
    if was is not None and is_ is not None:
        (_, old), (root, new) = was, is_
        name = spoken(printable(short_title(after.recording, root)))
        change = (
            f"was {read_number(old)} and is {read_number(new)}"
            if new != old
            else f"stays {read_number(new)}"
        )
        yield sentence(f"{name} {change}")


def here(session: Session) -> Iterator[str]:
    """Say where the debugger is."""
    yield from chain_told(session)
    yield from changes_told(session)
    if session.selected is not None:
        yield told_box(Node(session.state, session.selected))
