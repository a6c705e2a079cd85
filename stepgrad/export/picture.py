"""`Picture`: what to draw at a position, the same for every format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from stepgrad.drawing.neighbourhood import neighbourhood
from stepgrad.export.boxes import Content, Node, describe, fold, full_title
from stepgrad.export.position import finished
from stepgrad.numbers import number
from stepgrad.printable import (
    printable,
)
from stepgrad.replay.outline import enclosing, fitting, outline
from stepgrad.replay.quotient import Quotient, quotient
from stepgrad.replay.stages import Stage, Stages
from stepgrad.replay.state import State
from stepgrad.replay.telling.narration import Narration, narrate
from stepgrad.replay.telling.sentences import say

PAGE = 48
"""The most boxes that stay legible in one drawing."""

BACK = "↺ "
"""The mark of an edge that leads back, from a box further to the right."""

PHASES = {
    "forward": "▶ forward",
    "backward": "◀ backward",
    "zero": "× gradients cleared",
    "set": "= gradients set",
    "update": "△ update",
}


@dataclass(frozen=True, slots=True)
class Edge:
    """An operand that enters a box, or `count` edges between two boxes, one of them folded.

    `local` is ∂node/∂operand; None before the node is computed, and for several edges. The stage
    of several is that of the most advanced one. `direction` says which way a derivative has passed:
    −1 back to the operand, 1 forward, 0 if none has. `back`: it leads back in a drawing that has
    operands first.
    """

    operand: int
    out: int
    slot: int
    local: float | None
    stage: Stage
    direction: int = 0
    count: int = 1
    back: bool = False

    @property
    def label(self) -> str:
        """The local derivative as a person writes it, or the number of edges."""
        local = "" if self.local is None else number(self.local)
        return BACK * self.back + (f"×{self.count:,}" if self.count > 1 else local)


@dataclass(frozen=True, slots=True)
class Picture:
    """The boxes and edges to draw, and the text around them.

    `event` is the last event in notation, and `effect` what it did to the node; `sentence` is the
    same in words. At the start, and in a picture of a result, they are empty. `boxes` are in the
    order of creation; `edges` may come from operands that are not among them. `limits` says what is
    folded or left out of the training step.
    """

    title: str
    place: str
    event: str
    effect: str
    sentence: str
    boxes: tuple[Content, ...]
    edges: tuple[Edge, ...]
    limits: tuple[str, ...]

    @property
    def nodes(self) -> Sequence[Node]:
        """The boxes that are nodes."""
        return [box for box in self.boxes if isinstance(box, Node)]

    @property
    def inner_edges(self) -> Iterator[Edge]:
        """The edges with both ends in the picture."""
        shown = {box.index for box in self.boxes}
        return (edge for edge in self.edges if edge.operand in shown)


def picture(
    state: State,
    heading: str,
    limit: int | None = None,
    room: int = PAGE,
    hops: int | None = None,
) -> Picture:
    """Describe the training step of a position, with every node if there are at most `limit`.

    In a larger step, scopes are folded until about `room` boxes are left. If that is still more
    than `limit`, the picture is a neighbourhood: the boxes at most `hops` edges from the node of
    the last event, and at most half of `limit`.
    """
    recording, position = state.recording, state.position
    graph = quotient(state.scene, _folds(state, limit, room))
    drawn, near = _in_view(state, graph, limit, hops)
    told, sentence = Narration(""), "" if position else "Nothing has happened yet."
    if position:
        told, sentence = narrate(recording, position - 1), say(recording, position - 1)
    return Picture(
        title=printable(heading),
        place=where(state),
        event=printable(f"{told.symbols} {told.numbers}".rstrip()),
        effect=printable(told.effect),
        sentence=printable(sentence),
        boxes=tuple(_box(state, graph, box) for box in drawn),
        edges=tuple(_edges(state, graph, drawn)),
        limits=tuple(_limits(graph, drawn, near)),
    )


def result(picture: Picture) -> Picture:
    """Return a picture without a highlight: the last event looks like any other."""
    return replace(
        picture,
        event="",
        effect="",
        sentence="",
        boxes=tuple(replace(box, focus=False) for box in picture.boxes),
        edges=tuple(
            replace(edge, stage=_PASSED[edge.direction]) if edge.stage == "current" else edge
            for edge in picture.edges
        ),
    )


def where(state: State) -> str:
    """Name a position: `event 14 of 26 · ◀ backward · step 3`."""
    phase = PHASES.get(state.phase or "", "")
    step = "" if state.step is None else f"step {state.step}"
    told = (f"event {state.position:,} of {state.recording.length:,}", phase, step)
    return " · ".join(filter(None, told))


def _folds(state: State, limit: int | None, room: int) -> frozenset[str]:
    """Return the scopes to fold; none in a small graph.

    Before the end, those around the node of the last event stay open while there is room.
    """
    scene = state.scene
    if limit is None or len(scene) <= limit:
        return frozenset()
    folded = fitting(scene, room)
    if finished(state):
        return folded
    for scope in enclosing(state.node(_middle(state)).place.scope):
        opened = folded - {scope}
        if len(outline(scene, opened)) > room:
            break
        folded = opened
    return folded


def _middle(state: State) -> int:
    """Return the node in the middle of a drawing: the last event's, or the next one."""
    scene, focus = state.scene, state.focus
    return scene[0 if focus is None else min(scene.after(focus), len(scene) - 1)]


def _in_view(
    state: State, graph: Quotient, limit: int | None, hops: int | None
) -> tuple[Sequence[int], str]:
    """Return the boxes to draw; if they are not all, also the name of the node in the middle."""
    if limit is None or len(graph) <= limit:
        return graph[:], ""
    middle = _middle(state)
    reach = limit if hops is None else hops
    found = neighbourhood(graph.operands, graph.consumers, graph.box_of(middle), reach, limit // 2)
    return sorted(found), full_title(state, middle)


def _limits(graph: Quotient, drawn: Sequence[int], near: str) -> Iterator[str]:
    """Say what is folded and what is left out, and where to find all of it."""
    nodes, boxes = len(graph.scene), len(graph)
    everything = "the screen and --to json have all of them"
    if boxes < nodes:
        yield "+ folded scope: the range of its gradients, and the share that is 0 or unreached (∅)"
        yield f"{nodes:,} nodes in {boxes:,} boxes; {everything}"
    if len(drawn) < boxes:
        shown = f"{len(drawn):,} of {boxes:,} {'boxes' if boxes < nodes else 'nodes'}"
        yield f"shows {shown}, those near {near}; {everything}"


def _box(state: State, graph: Quotient, box: int) -> Content:
    line = graph.scope(box)
    return describe(state, box) if line is None else fold(state, line)


def _edges(state: State, graph: Quotient, drawn: Sequence[int]) -> Iterator[Edge]:
    """Yield the edges that enter the boxes."""
    stages, among = Stages(state), frozenset(drawn)
    for box in drawn:
        for bundle in graph.entering(box, among):
            out, slot = bundle.edges[0]
            stage, count = stages.of(bundle), len(bundle.edges)
            local = None
            if count == 1 and stage != "waiting":
                local = state.recording.history.local(out, slot, state.seen_by(out))
            way = _DIRECTIONS.get(stages.of(bundle, current=False), 0)
            yield Edge(bundle.operand, box, slot, local, stage, way, count)


_DIRECTIONS: Mapping[Stage, int] = {"backward": -1, "tangent": 1}
_PASSED: Mapping[int, Stage] = {way: stage for stage, way in _DIRECTIONS.items()}
