"""Looking: at which node, which scopes are folded, how much of the graph is drawn, constants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from stepgrad.replay.commands.hints import key
from stepgrad.replay.graph.network.rows import rows_at
from stepgrad.replay.graph.outline import enclosing
from stepgrad.replay.session import Session, View

if TYPE_CHECKING:
    from stepgrad.replay.graph.network.picture import Network, Neuron

NEARBY = 48
"""A graph of at most this many boxes is always drawn whole; of a larger one, what is near."""

DRAWABLE = 400
"""The most boxes that the view of all nodes draws."""

PLOTTED = 24
"""The fewest nodes that are worth a plot."""

_ALL = "the whole graph is drawn"
"""What is said where more of it is asked for; whether it fits into the panel is not known here."""

ZOOMS = range(-3, 2)
"""How far one can zoom out of what is near, and into it; 0 is two edges away from the subject."""


def select_by(session: Session, lines: int) -> Session:
    """Select the node, or the folded scope, that many lines below (above, if negative)."""
    outline = session.outline
    if not outline.targets:
        return session.say("there is no node to select")
    known = session.selected if session.selected is not None else session.state.focus
    at = outline.target_of(known)
    target = max(0, min((-1 if at is None else at) + lines, outline.targets - 1))
    if session.selected is not None and target == at:
        return session.say(f"this is the {'last' if lines > 0 else 'first'} node")
    return session.select(outline.node_of(target))


def clear_selection(session: Session) -> Session:
    """Follow the cursor again."""
    return session.say("nothing is selected") if session.selected is None else session.select(None)


def fold(session: Session, scope: str) -> Session:
    """Fold a scope into one line, or open it again."""
    return replace(session, folded=session.folded ^ {scope}, said="")


def fold_subject(session: Session) -> Session:
    """Fold the scope of the subject, or open the outermost folded one around it."""
    scopes = _scopes(session)
    if not scopes:
        return session.say("this node is not in a scope")
    return fold(session, next((scope for scope in scopes if scope in session.folded), scopes[-1]))


def scope_out(session: Session) -> Session:
    """Fold one level more around the subject."""
    scopes = _scopes(session)
    if not scopes:
        return session.say("this node is not in a scope")
    depth = next((i for i, scope in enumerate(scopes) if scope in session.folded), len(scopes))
    if depth == 0:
        return session.say(f"{scopes[0]} is the outermost scope")
    return fold(session, scopes[depth - 1])


def scope_in(session: Session) -> Session:
    """Open the outermost folded scope around the subject."""
    folded = next((scope for scope in _scopes(session) if scope in session.folded), None)
    return session.say("nothing is folded here") if folded is None else fold(session, folded)


def shown_network(session: Session) -> Network | None:
    """The network, where that is what is drawn."""
    if session.view != "network":
        return None
    from stepgrad.replay.graph.network.picture import network  # noqa: PLC0415 - few have one

    return network(session.state, session.selected, session.before)


def open_neuron(session: Session) -> Neuron | None:
    """The neuron whose nodes are drawn in place of the network, if there is one."""
    shown = shown_network(session) if session.opened else None
    return None if shown is None else shown.opened(session.opened)


def open_selected(session: Session) -> Session | None:
    """Open what is selected, if it is folded: a matrix, a neuron of the network, or a scope.

    An open neuron closes again, also without a selection. None if there is nothing to open.
    """
    selected, opened = session.selected, session.opened
    if session.in_closed:
        return session.select(selected)
    shown = shown_network(session)
    if shown is not None:
        neuron = shown.neuron(selected)
        name = opened if selected is None else "" if neuron is None else neuron.name
        if not name:
            return None
        if name == opened:
            return session.say(f"{name} is closed", opened="")
        return session.say(f"{name} is open: {key('jump')} closes it", opened=name)
    folded = None if selected is None else session.graph.scope(session.graph.box_of(selected))
    return None if folded is None else fold(session, folded.scope)


def next_view(session: Session) -> Session:
    """Draw the network, what is near, the whole graph, or its plot: the next that adds something.

    Where a network is recognised, it comes first.
    """
    size = len(session.graph)
    views: list[View] = ["near"] if rows_at(session.state) is None else ["network", "near"]
    if room(session) < size <= DRAWABLE:
        views.append("whole")
    if size >= PLOTTED:
        views.append("plot")
    at = views.index(session.view) if session.view in views else 0
    view = views[(at + 1) % len(views)]
    if view == session.view:
        return session.say(_ALL)
    said = {
        "network": "the network",
        "near": "nearby nodes",
        "whole": "all nodes",
        "plot": "adjacency plot",
    }
    return session.say(f"graph: {said[view]}", chosen=view, opened="", zoom=0)


def room(session: Session) -> int:
    """The most boxes that the view of nearby nodes draws at this zoom."""
    return int(NEARBY * 2.0**-session.zoom)


def zoom_by(session: Session, steps: int) -> Session:
    """Show less of the graph, and so more of each part; or more of it."""
    size = len(session.graph)
    zooms = {
        "network": range(1),
        "near": ZOOMS,
        "whole": range(1),
        "plot": range(len(session.state.scene).bit_length() - 3),  # down to a few nodes
    }
    zoomed = replace(session, zoom=session.zoom + steps)
    closer = steps > 0
    unseen = session.view == "near" and size <= min(room(session), room(zoomed))
    if unseen or zoomed.zoom not in zooms[session.view]:
        left_out = session.view == "near" and size > room(session)
        far = "this is as far as it gets" if left_out else _ALL
        return session.say("this is as close as it gets" if closer else far)
    return zoomed.say("zoomed in" if closer else "zoomed out")


def fit(session: Session) -> Session:
    """Draw the graph as small as it takes to see all that is drawn at once; or legibly again."""
    if session.view == "plot":
        return session.say("a plot always fits")
    said = "graph: readable again" if session.fit else "graph: as small as it takes to fit"
    return session.say(said, fit=not session.fit)


def toggle_constants(session: Session) -> Session:
    """Show the constants of the program among the nodes, or hide them."""
    if not session.constants:
        return session.say("constants are shown", constants=True)
    hidden = session.selected is not None and session.recording.node(session.selected).constant
    selected = None if hidden else session.selected
    return session.say("constants are hidden", constants=False, selected=selected)


def _scopes(session: Session) -> Sequence[str]:
    """The scopes around the subject, the outermost first."""
    if session.subject is None:
        return []
    return enclosing(session.recording.node(session.subject).place.scope)
