"""`Figure`: a picture on paper, with the text around it; the same for every format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from stepgrad.export.position import finished
from stepgrad.printable import printable
from stepgrad.replay.graph.contents import Node
from stepgrad.replay.graph.folding import folded_graph
from stepgrad.replay.graph.outline import enclosing, fitting, outline
from stepgrad.replay.graph.picture import Part, Picture, picture
from stepgrad.replay.state import State
from stepgrad.replay.telling.narration import narrate
from stepgrad.replay.telling.sentences import say

PAGE = 48
"""The most boxes that stay legible in one drawing."""

WHOLE = "the screen and --to json have all of them"
"""Where to find the nodes that a drawing folds or leaves out."""

PHASES = {
    "forward": "▶ forward",
    "backward": "◀ backward",
    "zero": "× gradients cleared",
    "set": "= gradients set",
    "update": "△ update",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture and the text around it.

    `event` is the last event in notation, and `effect` what it did to the node; `sentence` is the
    same in words. At the start, and in a picture of a result, they are empty. `limits` says what is
    folded or left out of the training step.
    """

    picture: Picture
    title: str
    place: str
    event: str
    effect: str
    sentence: str
    limits: Sequence[str]

    @property
    def lines(self) -> Sequence[str]:
        """All lines of text, for a format that has one place for them."""
        lines = (self.title, self.place, self.event, self.effect, *self.limits)
        return [line for line in lines if line]


def figure(
    state: State,
    heading: str,
    limit: int | None = None,
    room: int = PAGE,
    hops: int | None = None,
) -> Figure:
    """Describe the training step of a position, with every node if there are at most `limit`.

    In a larger step, scopes are folded until about `room` boxes are left. If that is still more
    than `limit`, the picture is a neighbourhood: the boxes at most `hops` edges from the node of
    the last event, and at most half of `limit`. The last event is highlighted unless the step is
    over.
    """
    return figure_of(state, heading, _part(state, limit, room, hops))


def figure_of(state: State, heading: str, part: Part, whole: str = WHOLE) -> Figure:
    """Describe a part of the graph of a position; `whole` says where there is all of it."""
    highlight = not finished(state)
    event = effect = sentence = ""
    if not state.position:
        sentence = "Nothing has happened yet."
    elif highlight:
        told = narrate(state.recording, state.position - 1)
        event, effect = f"{told.symbols} {told.numbers}".rstrip(), told.effect
        sentence = say(state.recording, state.position - 1)
    return Figure(
        picture=picture(state, part, highlight=highlight),
        title=printable(heading),
        place=where(state),
        event=printable(event),
        effect=printable(effect),
        sentence=printable(sentence),
        limits=[*_limits(state, part, whole)],
    )


def where(state: State) -> str:
    """Name a position: `event 14 of 26 · ◀ backward · step 3`."""
    phase = PHASES.get(state.phase or "", "")
    step = "" if state.step is None else f"step {state.step}"
    told = (f"event {state.position:,} of {state.recording.length:,}", phase, step)
    return " · ".join(filter(None, told))


def _part(state: State, limit: int | None, room: int, hops: int | None) -> Part:
    graph = folded_graph(state.scene, _folds(state, limit, room))
    if limit is None or len(graph) <= limit:
        return Part(graph, graph)
    return Part(graph, graph.near(state.focus, limit if hops is None else hops, limit // 2))


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
    for scope in enclosing(state.node(scene.nearest(state.focus)).place.scope):
        opened = folded - {scope}
        if len(outline(scene, opened)) > room:
            break
        folded = opened
    return folded


def _limits(state: State, part: Part, whole: str) -> Iterator[str]:
    """Say what was not recorded, what is folded and left out, and where to find all of it."""
    if state.recording.incomplete:
        yield printable(state.recording.incomplete)
    nodes, boxes = len(part.graph.scene), len(part.graph)
    if boxes < nodes:
        yield "+ folded scope: the range of its gradients, and the share that is 0 or unreached (∅)"
        yield f"{nodes:,} nodes in {boxes:,} boxes; {whole}"
    if part.extent:
        middle = Node(state, state.scene.nearest(state.focus))
        yield f"shows {part.extent}, those near {middle.title}; {whole}"
