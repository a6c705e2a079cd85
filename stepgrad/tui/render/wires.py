"""How the wires of the graph look at a position: what they stand for, and what came over them."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

from stepgrad.numbers import number
from stepgrad.recording import events
from stepgrad.recording.blocks import Backward
from stepgrad.recording.recording import Recording
from stepgrad.replay.derivatives import tangent_into
from stepgrad.replay.ledger import first_walk, latest_pass
from stepgrad.replay.quotient import Bundle, Edge
from stepgrad.replay.state import State
from stepgrad.replay.training import trains
from stepgrad.tui.render import ink
from stepgrad.tui.render.painting import WireContent

LABELS = 4, 10
"""Cells of a label, from and to: in training it may get longer than it is when it is laid out."""

BACK = "↺ "
"""Marks a wire that leads back, from a box that stands further to the right."""


class Wires:
    """The wires at a position, without the labels of those into a `secret` node."""

    def __init__(self, state: State, secret: int | None = None) -> None:
        self._state = state
        self._secret = secret
        self._pass = latest_pass(state.recording, state.position)
        self._current = _current(state)

    def look(self, bundle: Bundle) -> WireContent:
        """Return how a wire looks that stands for some edges: as those that something came over.

        One edge shows its local derivative, of several it is shown how many they are.
        """
        state, (out, slot) = self._state, bundle.edges[0]
        alone = len(bundle.edges) == 1
        label = "" if alone else _count(bundle)
        if state.value(out) is None:
            return WireContent(label, ink.QUIET)
        walked = self._walked(bundle)
        if alone and out == self._secret and not walked:
            return WireContent("?")
        style = ink.PLAIN
        if alone:
            local = state.recording.history.local(out, slot, state.seen_by(out))
            label, style = number(local), ink.sign(local)
        if any(edge in bundle.edges for edge in self._current):
            return WireContent(label, ink.CURRENT, ink.CURRENT, heavy=True, rank=2)
        if walked:
            return WireContent(label, ink.BACKWARD, style, rank=1)
        if self._carried(bundle):
            return WireContent(label, ink.FORWARD, style, rank=1)
        return WireContent(label, ink.PLAIN, style)

    def _walked(self, bundle: Bundle) -> bool:
        """Whether the latest backward pass has walked one of the edges by now."""
        begun = None if self._pass is None else _begin(self._pass, bundle)
        return begun is not None and begun <= self._state.position

    def _carried(self, bundle: Bundle) -> bool:
        """Whether a tangent has come over one of the edges by now."""
        state = self._state
        if state.tangent(bundle.edges[0][0]) is None:
            return False
        return any(_tangent(state, edge) for edge in bundle.edges)


def label_width(recording: Recording, bundle: Bundle) -> int:
    """The room for the label of a wire, with a blank on each side."""
    if len(bundle.edges) > 1:
        return len(_count(bundle)) + 2
    (out, slot), (shortest, longest) = bundle.edges[0], LABELS
    if trains(recording) and recording.node(out).op.partials[slot].constant is None:
        return longest  # it is another number in every step
    local = recording.history.local(out, slot, recording.length)
    return max(shortest, min(len(number(local)) + 2, longest))


def _count(bundle: Bundle) -> str:
    return f"×{len(bundle.edges):,}"


def _current(state: State) -> Collection[Edge]:
    """Return the edges that the last event is about: what was handed on came over them."""
    match state.event:
        case events.Accumulate(out=out, slot=slot):
            return [(out, slot)]
        case events.Op(node=node, operands=operands, tangent=float()):
            edges = ((node, slot) for slot in range(len(operands)))
            return [edge for edge in edges if _tangent(state, edge)]
    return []


def _tangent(state: State, edge: Edge) -> float:
    """Return the tangent that comes over an edge; 0 where none does."""
    recording, (out, slot) = state.recording, edge
    if state.tangent(out) is None:
        return 0.0
    return tangent_into(recording, out, recording.node(out).operands[slot], state.position)


@lru_cache(maxsize=1024)
def _begin(block: Backward, bundle: Bundle) -> int | None:
    return first_walk(block, bundle.edges)
