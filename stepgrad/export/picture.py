"""`Picture`: what there is to be drawn at a position, for every format the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from stepgrad.drawing.neighbourhood import neighbourhood
from stepgrad.export.boxes import Content, Node, describe, fold, full_title
from stepgrad.numbers import number
from stepgrad.printable import printable
from stepgrad.recording import events
from stepgrad.replay.ledger import first_walk, latest_pass
from stepgrad.replay.narrate import Narration, narrate
from stepgrad.replay.outline import enclosing, fitting, outline
from stepgrad.replay.quotient import Quotient, quotient
from stepgrad.replay.say import say
from stepgrad.replay.state import State

PAGE = 48
"""A drawing of so many boxes is legible in one piece."""

Stage = Literal["waiting", "forward", "backward", "current"]
"""What has become of an edge: not there yet, computed, walked back over, walked just now."""

BACK = "↺ "
"""Marks an edge that leads back, from a box that stands further to the right."""

PHASES = {
    "forward": "▶ forward",
    "backward": "◀ backward",
    "zero": "× gradients cleared",
    "set": "= gradients set",
    "update": "△ update",
}


@dataclass(frozen=True, slots=True)
class Edge:
    """An operand that enters a box, or `count` edges between two boxes of which one is folded.

    `local` is ∂node/∂operand, None before the node is made; of several edges it is that of none.
    Several are where the furthest of them is. `back`: in a drawing where operands come first, it
    leads back.
    """

    operand: int
    out: int
    slot: int
    local: float | None
    stage: Stage
    count: int = 1
    back: bool = False

    @property
    def label(self) -> str:
        """The local derivative as a person writes it, or how many edges this is."""
        local = "" if self.local is None else number(self.local)
        return BACK * self.back + (f"×{self.count:,}" if self.count > 1 else local)


@dataclass(frozen=True, slots=True)
class Picture:
    """The boxes and edges to draw, and what is to be said about them.

    `event` is what the last event did, in notation, and `effect` what became of the node; at the
    start both are empty. `sentence` tells it in words. `boxes` come in the order of creation;
    `edges` also lead to operands that are not among them. `limits` says what is folded or left out
    of the training step; empty where nothing is.
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
    """Describe the training step of a position, with all of its nodes where it has up to `limit`.

    Of a larger one scopes are folded, so that there are not many more than `room` boxes. Where
    that is not enough for `limit`, it is a neighbourhood: the boxes at most `hops` edges from the
    one the last event is about, half of `limit` at most.
    """
    recording, position = state.recording, state.position
    graph = quotient(state.scene, _folds(state, limit, room))
    drawn, near = _in_view(state, graph, limit, hops)
    told = narrate(recording, position - 1) if position else Narration("")
    sentence = say(recording, position - 1) if position else "Nothing has happened yet."
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


def where(state: State) -> str:
    """Say which position this is: `event 14 of 26 · ◀ backward · step 3`."""
    phase = PHASES.get(state.phase or "", "")
    step = "" if state.step is None else f"step {state.step}"
    told = (f"event {state.position:,} of {state.recording.length:,}", phase, step)
    return " · ".join(filter(None, told))


def _folds(state: State, limit: int | None, room: int) -> frozenset[str]:
    """Return the scopes to fold, none in a small graph.

    Those around the node that the last event is about stay open as far as there is room.
    """
    scene = state.scene
    if limit is None or len(scene) <= limit:
        return frozenset()
    folded = fitting(scene, room)
    for scope in enclosing(state.node(_middle(state)).place.scope):
        opened = folded - {scope}
        if len(outline(scene, opened)) > room:
            break
        folded = opened
    return folded


def _middle(state: State) -> int:
    """Return the node that a drawing is about: that of the last event, or the one next to it."""
    scene, focus = state.scene, state.focus
    return scene[0 if focus is None else min(scene.after(focus), len(scene) - 1)]


def _in_view(
    state: State, graph: Quotient, limit: int | None, hops: int | None
) -> tuple[Sequence[int], str]:
    """Return the boxes to draw, and the name of the node in the middle if they are not all."""
    if limit is None or len(graph) <= limit:
        return graph[:], ""
    middle = _middle(state)
    reach = limit if hops is None else hops
    found = neighbourhood(graph.operands, graph.consumers, graph.box_of(middle), reach, limit // 2)
    return sorted(found), full_title(state, middle)


def _limits(graph: Quotient, drawn: Sequence[int], near: str) -> Iterator[str]:
    """Say what is folded and what is left out, and what has all of it."""
    nodes, boxes = len(graph.scene), len(graph)
    everything = "--to json has all of them, and so has the screen"
    if boxes < nodes:
        yield "+ folded scope, with the shares of its gradients that are 0 or never reached (∅)"
        yield f"{nodes:,} nodes in {boxes:,} boxes; {everything}"
    if len(drawn) < boxes:
        shown = f"{len(drawn):,} of {boxes:,} {'boxes' if boxes < nodes else 'nodes'}"
        yield f"{shown} are shown: those near {near}; {everything}"


def _box(state: State, graph: Quotient, box: int) -> Content:
    line = graph.scope(box)
    return describe(state, box) if line is None else fold(state, line)


def _edges(state: State, graph: Quotient, drawn: Sequence[int]) -> Iterator[Edge]:
    """Yield what enters the boxes."""
    recording, position, event = state.recording, state.position, state.event
    here = (event.out, event.slot) if isinstance(event, events.Accumulate) else None
    block = latest_pass(recording, position)
    among = frozenset(drawn)
    for box in drawn:
        for bundle in graph.entering(box, among):
            out, slot = bundle.edges[0]
            made = state.value(out) is not None
            walked = first_walk(block, bundle.edges) if block else None
            back = walked is not None and walked <= position
            alone = len(bundle.edges) == 1
            local = (
                recording.history.local(out, slot, state.seen_by(out)) if made and alone else None
            )
            stage: Stage = "backward" if back else "forward" if made else "waiting"
            if here in bundle.edges:
                stage = "current"
            yield Edge(bundle.operand, box, slot, local, stage, len(bundle.edges))
