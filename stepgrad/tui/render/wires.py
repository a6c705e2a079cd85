"""How the wires of the graph look: their labels, and the ink of their stage."""

from __future__ import annotations

from collections.abc import Mapping

from stepgrad.numbers import number
from stepgrad.recording.recording import Recording
from stepgrad.replay.graph.folding import Bundle
from stepgrad.replay.graph.picture import BACK, Edge
from stepgrad.replay.graph.stages import STAGES, Stage
from stepgrad.replay.training import trains
from stepgrad.tui.render import ink
from stepgrad.tui.render.painting import WireContent

LABELS = 4, 11
"""The fewest and the most cells of a label: in training it may outgrow its layout."""

_STYLES: Mapping[Stage, str] = {
    "waiting": ink.QUIET,
    "forward": ink.PLAIN,
    "tangent": ink.FORWARD,
    "backward": ink.BACKWARD,
    "current": ink.CURRENT,
}


def look(edge: Edge, room: int = 99, *, secret: bool = False, heavy: bool = False) -> WireContent:
    """Return how an edge looks; a `secret` local derivative shows once a gradient has used it.

    A number that is too long for its `room`, in cells, has fewer digits, or is left out.
    """
    stage = edge.stage
    if secret and stage != "waiting" and edge.count == 1 and edge.direction >= 0:
        return WireContent(f"{BACK * edge.back}?", heavy=heavy, rank=STAGES.index("forward"))
    style = _STYLES[stage]
    of_label = ink.PLAIN if edge.local is None else ink.sign(edge.local)
    label = edge.fitted(room)
    return WireContent(
        label if len(label) <= room else "",
        style,
        style if stage in ("waiting", "current") else of_label,
        heavy=heavy or stage == "current",
        rank=STAGES.index(stage),
        shut=edge.shut,
    )


def label_width(recording: Recording, bundle: Bundle) -> int:
    """The room for the label of a wire at any position, with a blank on each side."""
    if (count := len(bundle.edges)) > 1:
        return len(f"×{count:,}") + 2
    (out, slot), (shortest, longest) = bundle.edges[0], LABELS
    if trains(recording) and recording.node(out).op.varies(slot):
        return longest  # it is another number in every step
    local = recording.history.local(out, slot, recording.length)
    return max(shortest, min(len(number(local)) + 2, longest))
