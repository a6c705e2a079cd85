"""`Picture`: what there is to be drawn at a position, for every format the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Literal, NamedTuple

from stepgrad.drawing.neighbourhood import neighbourhood
from stepgrad.numbers import gradient, number
from stepgrad.recording import events
from stepgrad.replay.ledger import latest_pass, walk
from stepgrad.replay.narrate import Narration, narrate
from stepgrad.replay.say import say
from stepgrad.replay.state import State
from stepgrad.replay.titles import definition, short_title, title

Stage = Literal["waiting", "forward", "backward", "current"]
"""What has become of an edge: not there yet, computed, walked back over, walked just now."""

PHASES = {
    "forward": "▶ forward",
    "backward": "◀ backward",
    "zero": "× gradients cleared",
    "set": "= gradients set",
    "update": "△ update",
}


class Number(NamedTuple):
    """A number in a box: `x`, as a person writes it, with a word and a glyph for what it is."""

    word: str
    glyph: str
    text: str
    x: float | None


@dataclass(frozen=True, slots=True)
class Node:
    """A node with its numbers: `value` is None where it is not made yet.

    `tangent` is None outside of forward mode, `grad` where nothing has reached it; those with
    `_text` are how a person writes them. `formula` is what it computes, empty for a leaf. `title`
    is the name with its scopes, or how else it is called outside of them. `focus` is the node that
    the last event is about.
    """

    index: int
    name: str
    title: str
    formula: str
    scope: str
    operands: tuple[int, ...]
    value: float | None
    tangent: float | None
    grad: float | None
    value_text: str
    tangent_text: str
    grad_text: str
    focus: bool

    @property
    def heading(self) -> str:
        """Name and formula: `h = relu(z1)`; of a nameless node the formula."""
        return self.name if self.formula in ("", self.name) else f"{self.name} = {self.formula}"

    @property
    def numbers(self) -> Sequence[Number]:
        """What stands in its box: the value and a derivative, as on the screen; nothing before."""
        if self.value is None:
            return ()
        derivative = Number("grad", "∂", self.grad_text, self.grad)
        if self.grad is None and self.tangent is not None:
            derivative = Number("tangent", "d", self.tangent_text, self.tangent)
        return Number("value", "=", self.value_text, self.value), derivative


@dataclass(frozen=True, slots=True)
class Edge:
    """An operand that enters a node; `local` is ∂node/∂operand, None before the node is made."""

    operand: int
    out: int
    slot: int
    local: float | None
    stage: Stage

    @property
    def label(self) -> str:
        """The local derivative as a person writes it."""
        return "" if self.local is None else number(self.local)


@dataclass(frozen=True, slots=True)
class Picture:
    """The nodes and edges to draw, and what is to be said about them.

    `event` is what the last event did, in notation, and `effect` what became of the node; at the
    start both are empty. `sentence` tells it in words. `nodes` come in the order of creation;
    `edges` also lead to operands that are not among them. `left_out` is how many nodes of the
    training step are not shown, `near` the one that the others are near to, if there are any.
    """

    title: str
    place: str
    event: str
    effect: str
    sentence: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    left_out: int
    near: str

    @property
    def inner_edges(self) -> Iterator[Edge]:
        """The edges with both ends in the picture."""
        shown = {node.index for node in self.nodes}
        return (edge for edge in self.edges if edge.operand in shown)

    @property
    def limits(self) -> str:
        """What is left out, in words; empty where nothing is."""
        if not self.left_out:
            return ""
        count = len(self.nodes)
        return f"{count:,} of {count + self.left_out:,} nodes are shown: those near {self.near}"


def picture(
    state: State, heading: str, limit: int | None = None, hops: int | None = None
) -> Picture:
    """Describe the training step of a position; of more than `limit` nodes, a neighbourhood.

    That is the nodes at most `hops` edges from the one the last event is about, half of `limit` at
    most.
    """
    recording, position = state.recording, state.position
    nodes, near = _in_view(state, limit, hops)
    told = narrate(recording, position - 1) if position else Narration("")
    sentence = say(recording, position - 1) if position else "Nothing has happened yet."
    return Picture(
        title=printable(heading),
        place=where(state),
        event=printable(f"{told.symbols} {told.numbers}".rstrip()),
        effect=printable(told.effect),
        sentence=printable(sentence),
        nodes=tuple(describe(state, index) for index in nodes),
        edges=tuple(_edges(state, nodes)),
        left_out=len(state.scene) - len(nodes),
        near=near,
    )


def where(state: State) -> str:
    """Say which position this is: `event 14 of 26 · ◀ backward · step 3`."""
    phase = PHASES.get(state.phase or "", "")
    step = "" if state.step is None else f"step {state.step}"
    told = (f"event {state.position:,} of {state.recording.length:,}", phase, step)
    return " · ".join(filter(None, told))


def sign(x: float | None) -> str:
    """Say on which side of 0 a number lies; `broken` is none, or an infinite one."""
    if x is None or x == 0:
        return "zero"
    if not isfinite(x):
        return "broken"
    return "positive" if x > 0 else "negative"


def printable(text: str) -> str:
    """Text without line breaks, control characters and what no file could hold."""
    return "".join(filter(str.isprintable, text))


def _in_view(state: State, limit: int | None, hops: int | None) -> tuple[list[int], str]:
    """Return the nodes to draw, and the name of the one in the middle if they are not all."""
    scene = state.scene
    if limit is None or len(scene) <= limit:
        return list(scene), ""
    focus = state.focus
    middle = scene[0 if focus is None else min(scene.after(focus), len(scene) - 1)]
    reach = limit if hops is None else hops
    found = neighbourhood(scene.operands, scene.consumers, middle, reach, limit // 2)
    return sorted(found), full_title(state, middle)


def full_title(state: State, index: int) -> str:
    """Return what a node is called in a narration: its name, or its scope and what it computes."""
    facts, called = state.node(index), title(state.recording, index)
    scope = "" if facts.name or not facts.place.scope else f"{facts.place.scope}: "
    return printable(f"{scope}{called}")


def describe(state: State, index: int) -> Node:
    """Describe a node at a position."""
    facts, recording = state.node(index), state.recording
    value, tangent, grad = state.value(index), state.tangent(index), state.grad(index)
    unreached = grad is None and value is not None and state.never_reached(index)
    return Node(
        index=index,
        name=printable(short_title(recording, index)),
        title=full_title(state, index),
        formula=printable(definition(recording, facts)),
        scope=printable(facts.place.scope),
        operands=tuple(each for each in facts.operands if not recording.is_constant(each)),
        value=value,
        tangent=tangent,
        grad=grad,
        value_text="" if value is None else number(value),
        tangent_text="" if tangent is None else gradient(tangent),
        grad_text="" if value is None else "∅" if unreached else gradient(grad),
        focus=index == state.focus,
    )


def _edges(state: State, nodes: list[int]) -> Iterator[Edge]:
    recording, position, event = state.recording, state.position, state.event
    here = (event.out, event.slot) if isinstance(event, events.Accumulate) else None
    block = latest_pass(recording, position)
    for out in nodes:
        made = state.value(out) is not None
        for slot, operand in enumerate(state.node(out).operands):
            if recording.is_constant(operand):
                continue
            walked = walk(block, out, slot) if block else None
            back = walked is not None and walked <= position
            seen = walked if back and walked else position  # before an update of the operands
            local = recording.history.local(out, slot, seen) if made else None
            stage: Stage = "backward" if back else "forward" if made else "waiting"
            yield Edge(operand, out, slot, local, "current" if (out, slot) == here else stage)
