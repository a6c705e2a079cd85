"""Search: the nodes of a training step by their names, one after the other."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace

from stepgrad.errors import StepgradError
from stepgrad.recording.kept import kept
from stepgrad.recording.numbered import plain
from stepgrad.replay.commands.hints import key
from stepgrad.replay.graph.outline import LARGE, enclosing
from stepgrad.replay.graph.scene import Scene, scene
from stepgrad.replay.naming import AmbiguousNameError, find_node
from stepgrad.replay.session import Session
from stepgrad.replay.telling.titles import title


class SearchError(StepgradError):
    """A search that finds nothing."""


def search(session: Session, text: str) -> Session:
    """Select the node of this name, or else the next one whose name contains the text.

    Where no name does, the nodes of the operation of that name are meant: `tanh`.

    Raises:
        SearchError: there is none.
    """
    word = text.strip()
    if not word:
        raise SearchError("write part of a name")
    session = replace(session, sought=word)
    try:
        named = find_node(session.state, word)
    except AmbiguousNameError:
        named = None
    if named is not None and not _hits(session):  # named as a voice says it
        session = replace(session, sought=title(session.recording, named))
    hits = _hits(session)
    if not hits:
        raise SearchError(f'no node matches "{word}"')
    if named is None or named not in hits:
        return next_hit(session, 1)
    return _select(session, named)


def next_hit(session: Session, by: int) -> Session:
    """Select the next node that matches the last search, or the one before."""
    if not session.sought:
        return session.say(f"nothing to repeat: {key('search')} searches the nodes")
    hits = _hits(session)
    if not hits:
        return session.say(f'no node matches "{session.sought}"')
    now = -1 if session.subject is None else session.subject
    at = bisect_right(hits, now) if by > 0 else bisect_left(hits, now) - 1
    return _select(session, hits[at % len(hits)])


def _select(session: Session, node: int) -> Session:
    """Select a node that was found, and bring it into view: open its scopes, show constants."""
    facts = session.recording.node(node)
    return replace(
        session.select(node),
        folded=session.folded.difference(enclosing(facts.place.scope)),
        constants=session.constants or facts.constant,
    )


def match(session: Session) -> tuple[int, int] | None:
    """Return which match of the last search is selected, counted from 1, and how many there are."""
    if not session.sought or session.selected is None:
        return None
    hits = _hits(session)
    at = bisect_left(hits, session.selected)
    return (at + 1, len(hits)) if hits[at : at + 1] == [session.selected] else None


def _hits(session: Session) -> Sequence[int]:
    """The nodes of this training step that match the search, named constants included."""
    nodes = scene(session.recording, *session.state.step_bounds, constants=True)
    return _matches(nodes, session.sought.casefold())


@kept(4)
def _matches(nodes: Scene, word: str) -> list[int]:
    """Return the nodes whose names contain a word; if none do, those whose definition does.

    In a large scene, only names and operations count: writing out all definitions would take
    seconds.
    """
    folded = ((node, name.casefold()) for node, name in nodes.names)
    named = [node for node, name in folded if word in name or word in plain(name)]
    if named:
        return sorted(named)
    recording = nodes.recording
    written = len(nodes) <= LARGE
    return [
        node
        for node in nodes
        if not recording.is_constant(node)
        and (
            recording.operation(node)[0].name.casefold() == word
            or (written and word in title(recording, node).casefold())
        )
    ]
