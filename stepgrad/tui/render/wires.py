"""How the wires of the graph look at a position: their labels, and the ink of their stage."""

from __future__ import annotations

from stepgrad.numbers import number
from stepgrad.recording.recording import Recording
from stepgrad.replay.graph.folding import Bundle
from stepgrad.replay.graph.stages import Stages
from stepgrad.replay.state import State
from stepgrad.replay.training import trains
from stepgrad.tui.render import ink
from stepgrad.tui.render.painting import WireContent

LABELS = 4, 10
"""The fewest and the most cells of a label: in training it may outgrow its layout."""

BACK = "↺ "
"""The mark of a wire that leads back, from a box further to the right."""


_STYLES = {
    "tangent": (ink.FORWARD, 1),
    "backward": (ink.BACKWARD, 1),
    "forward": (ink.PLAIN, 0),
}
"""The ink of a wire, and its rank above others."""


class Wires:
    """The wires at a position, without the labels of those into a `secret` node."""

    def __init__(self, state: State, secret: int | None = None) -> None:
        self._state = state
        self._secret = secret
        self._stages = Stages(state)

    def look(self, bundle: Bundle) -> WireContent:
        """Return how a wire looks: one edge shows its local derivative, several their count."""
        state, (out, slot) = self._state, bundle.edges[0]
        alone = len(bundle.edges) == 1
        label = "" if alone else _count(bundle)
        stage = self._stages.of(bundle)
        if stage == "waiting":
            return WireContent(label, ink.QUIET)
        if alone and out == self._secret and not self._stages.walked(bundle):
            return WireContent("?")
        style = ink.PLAIN
        if alone:
            local = state.recording.history.local(out, slot, state.seen_by(out))
            label, style = number(local), ink.sign(local)
        if stage == "current":
            return WireContent(label, ink.CURRENT, ink.CURRENT, heavy=True, rank=2)
        wire, rank = _STYLES[stage]
        return WireContent(label, wire, style, rank=rank)


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
