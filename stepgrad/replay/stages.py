"""How far each edge of a graph has come, for the screen and for exports."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from typing import Literal

from stepgrad.recording import events
from stepgrad.recording.blocks import Backward
from stepgrad.replay.gradients.ledger import first_walk, latest_pass
from stepgrad.replay.quotient import Bundle, Edge
from stepgrad.replay.state import State
from stepgrad.replay.telling.derivatives import tangent_into

Stage = Literal["waiting", "forward", "tangent", "backward", "current"]
"""Not computed yet; computed; carried a tangent; walked back; the edge of the last event."""


class Stages:
    """The stages of all edges at a position; those of a bundle are its most advanced edge's."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._pass = latest_pass(state.recording, state.position)
        self._current = _current(state)

    def of(self, bundle: Bundle, *, current: bool = True) -> Stage:
        """Return the stage of a bundle; without `current`, the last event is like any other."""
        if self._state.value(bundle.edges[0][0]) is None:
            return "waiting"
        if current and any(edge in bundle.edges for edge in self._current):
            return "current"
        if self.walked(bundle):
            return "backward"
        return "tangent" if self._carried(bundle) else "forward"

    def walked(self, bundle: Bundle) -> bool:
        """Whether the latest backward pass has walked one of the edges."""
        begun = None if self._pass is None else _begin(self._pass, bundle)
        return begun is not None and begun <= self._state.position

    def _carried(self, bundle: Bundle) -> bool:
        if self._state.tangent(bundle.edges[0][0]) is None:
            return False
        return any(_tangent(self._state, edge) for edge in bundle.edges)


def _current(state: State) -> Collection[Edge]:
    """Return the edges that the gradient or the tangents of the last event came through."""
    match state.event:
        case events.Accumulate(out=out, slot=slot):
            return [(out, slot)]
        case events.Op(node=node, operands=operands, tangent=float()):
            edges = ((node, slot) for slot in range(len(operands)))
            return [edge for edge in edges if _tangent(state, edge)]
    return []


def _tangent(state: State, edge: Edge) -> float:
    """Return the tangent that comes through an edge; 0 where none does."""
    recording, (out, slot) = state.recording, edge
    if state.tangent(out) is None:
        return 0.0
    return tangent_into(recording, out, recording.node(out).operands[slot], state.position)


@lru_cache(maxsize=1024)
def _begin(block: Backward, bundle: Bundle) -> int | None:
    return first_walk(block, bundle.edges)
