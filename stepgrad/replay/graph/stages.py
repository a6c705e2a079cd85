"""How far each edge of a graph has come at a position."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, get_args

from stepgrad.recording import events
from stepgrad.recording.blocks import Backward
from stepgrad.recording.kept import kept
from stepgrad.recording.recording import Recording
from stepgrad.replay.gradients.ledger import first_walk, latest_pass
from stepgrad.replay.graph.folding import Bundle, Slot
from stepgrad.replay.state import State
from stepgrad.replay.telling.derivatives import tangent_into

Stage = Literal["waiting", "forward", "tangent", "backward", "current"]
"""Not computed yet; computed; carried a tangent; walked back; the edge of the last event."""

STAGES: tuple[Stage, ...] = get_args(Stage)
"""The stages in order: where several edges are one line, the last of their stages shows."""


class Stages:
    """The stages of all edges at a position; those of a bundle are its most advanced edge's.

    Without a `highlight`, the last event is like any other.
    """

    def __init__(self, state: State, *, highlight: bool = True) -> None:
        self._state = state
        self._pass = latest_pass(state.recording, state.position)
        self._current = _current(state) if highlight else ()

    def of(self, bundle: Bundle) -> tuple[Stage, int]:
        """Return the stage of a bundle, and which way a derivative has passed.

        That is −1 back to the operand, 1 forward, 0 if none has.
        """
        if self._state.value(bundle.edges[0][0]) is None:
            return "waiting", 0
        if any(edge in bundle.edges for edge in self._current):
            return "current", -1 if isinstance(self._state.event, events.Accumulate) else 1
        if self._walked(bundle):
            return "backward", -1
        return ("tangent", 1) if self._carried(bundle) else ("forward", 0)

    def _walked(self, bundle: Bundle) -> bool:
        """Whether the latest backward pass has walked one of the edges."""
        begun = None if self._pass is None else _begin(self._state.recording, self._pass, bundle)
        return begun is not None and begun <= self._state.position

    def _carried(self, bundle: Bundle) -> bool:
        """Whether a tangent other than 0 has come through one of the edges."""
        forward_mode = self._state.scene.forward_mode
        return forward_mode and any(_tangent(self._state, edge) for edge in bundle.edges)


def _current(state: State) -> Collection[Slot]:
    """Return the edges that the gradient or the tangents of the last event came through."""
    match state.event:
        case events.Accumulate(out=out, slot=slot):
            return [(out, slot)]
        case events.Op(node=node, operands=operands, tangent=float()):
            edges = ((node, slot) for slot in range(len(operands)))
            return [edge for edge in edges if _tangent(state, edge)]
    return []


def _tangent(state: State, edge: Slot) -> float:
    """Return the tangent that comes through an edge; 0 where none does."""
    recording, (out, slot) = state.recording, edge
    if state.tangent(out) is None:
        return 0.0
    return tangent_into(recording, out, recording.node(out).operands[slot], state.position)


@kept(1024)
def _begin(_: Recording, block: Backward, bundle: Bundle) -> int | None:
    return first_walk(block, bundle.edges)
