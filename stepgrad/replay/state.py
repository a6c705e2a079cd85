"""`State`: the world at a position, worked out as far as it is asked for."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import index

from stepgrad.engine.tape import Place
from stepgrad.recording.blocks import Backward, Block, Forward, Marked, Write
from stepgrad.recording.events import Event, Phase
from stepgrad.recording.foreign.sweep import ForeignBackward
from stepgrad.recording.numbered import node_called, unnumbered
from stepgrad.recording.recording import Node, Recording
from stepgrad.replay.gradients.ledger import latest_pass
from stepgrad.replay.graph.scene import Scene, scene


@dataclass(frozen=True, slots=True)
class State:
    """A recording after its first `position` events.

    Raises:
        IndexError: the recording has no such position.
        TypeError: the position is not a whole number.
    """

    recording: Recording
    position: int

    def __post_init__(self) -> None:
        if not 0 <= index(self.position) <= self.recording.length:
            raise IndexError(f"position {self.position} of 0 to {self.recording.length}")

    @property
    def event(self) -> Event | None:
        """What happened last; None at the very start."""
        return self.recording.events[self.position - 1] if self.position else None

    @property
    def phase(self) -> Phase | None:
        """The phase of the last event; a loop that updates and clears in turn is one update."""
        return self._block.phase if self.position else None

    @property
    def _block(self) -> Block:
        """The block of the last event."""
        return self.recording.blocks[self.recording.history.block_at(self.position - 1)]

    @property
    def place(self) -> Place | None:
        """Where the program itself has written what the last event did; None where it has not.

        That is a write by hand, or one of a rule in a backward pass of its own. Other events belong
        to a node, which knows where it was made.
        """
        block = self._block if self.position else None
        if not isinstance(block, Write | ForeignBackward):
            return None
        return block.place(self.position - 1 - block.start)

    @property
    def step_ordinal(self) -> int | None:
        """Which of the training steps this is, counted from 0; None before the first."""
        return self._ordinal(self.recording.steps)

    def _ordinal(self, steps: Sequence[int]) -> int | None:
        ordinal = bisect_left(steps, self.position) - 1
        return ordinal if ordinal >= 0 else None

    @property
    def step(self) -> int | None:
        """The number of the training step; None before the first, and where nothing is trained."""
        steps = self.recording.steps  # once: the first mark of a growing recording makes others
        ordinal = self._ordinal(steps)
        return None if ordinal is None else _number_of(self.recording, steps, ordinal)

    @property
    def step_bounds(self) -> tuple[int, int]:
        """The positions between which the training step lies; with one step or none, everything.

        What comes before the first step is counted as a step.
        """
        steps = self.recording.steps
        ordinal = self._ordinal(steps)
        if len(steps) < 2:
            return 0, self.recording.length
        if ordinal is None:
            return 0, steps[0] or steps[1]
        last = ordinal + 1 == len(steps)
        return steps[ordinal], self.recording.length if last else steps[ordinal + 1]

    def seen_by(self, node: int) -> int:
        """The position whose values make the local derivatives of a computed node.

        After a backward pass through the node, that is where the pass began: the gradient did not
        go through the numbers that a later update has written.
        """
        block = latest_pass(self.recording, self.position)
        if block is None or self.recording.history.made_at(node) > block.start:
            return self.position
        return block.start

    @property
    def root(self) -> int | None:
        """The node that gradients are of: the root of the last backward pass that has begun."""
        block = latest_pass(self.recording, self.position)
        return block.root if block else None

    @property
    def destination(self) -> int | None:
        """The root that this training step computes or has computed.

        A step without a backward pass, such as one of forward mode or the last one after training,
        has no root of its own: there it is the node with the name of the last root, or else of the
        first to come, if the step makes one.
        """
        begin, end = self.step_bounds
        for block in self.recording.blocks_between(begin, end):
            if isinstance(block, Backward):
                return block.root
        root = self.root
        if root is None:
            ahead = self.recording.blocks_between(end, self.recording.length)
            root = next((block.root for block in ahead if isinstance(block, Backward)), None)
        name = None if root is None else self.recording.node(root).name
        if name is None:
            return None
        name = unnumbered(name)  # of the last sum of a loop, however often this step goes round
        alike = (node for node, other in self.scene.names if unnumbered(other) == name)
        return max(alike, default=None)

    @property
    def output(self) -> tuple[int, float] | None:
        """The destination with its value; None before it is computed."""
        node = self.destination
        value = None if node is None else self.value(node)
        return None if node is None or value is None else (node, value)

    @property
    def scene(self) -> Scene:
        """The nodes to look at, in order: those of this training step, made yet or not.

        With them come those from before training began, and all that this step uses, writes, or
        reaches in a backward pass; constants do not.
        """
        return scene(self.recording, *self.step_bounds)

    @property
    def focus(self) -> int | None:
        """The node that the last event is about."""
        if not self.position:
            return None
        block = self._block
        return block.focus(self.position - 1 - block.start)

    def never_reached(self, node: int) -> bool:
        """Whether a backward pass is over, and no pass ever reaches the node."""
        block = latest_pass(self.recording, self.position)
        return (
            block is not None
            and self.position >= block.start + block.length
            and self.recording.history.grad(node, self.recording.length) is None
        )

    def value(self, node: int) -> float | None:
        """Return a node's value; None if it is not computed yet.

        Raises:
            IndexError: the recording has no such node.
        """
        self.recording.check(node)
        return self.recording.history.value(node, self.position)

    def tangent(self, node: int) -> float | None:
        """Return a node's tangent; None if it is not computed yet, or not in forward mode.

        Raises:
            IndexError: the recording has no such node.
        """
        self.recording.check(node)
        return self.recording.history.tangent(node, self.position)

    @property
    def seeds(self) -> Mapping[int, float]:
        """The seeds of forward mode, if it runs here: leaves, each with its tangent."""
        block = self._block if self.position else None
        return block.seeds if isinstance(block, Forward) else {}

    def grad(self, node: int) -> float | None:
        """Return a node's gradient; None if nothing has reached it (in this pass).

        Raises:
            IndexError: the recording has no such node.
        """
        self.recording.check(node)
        return self.recording.history.grad(node, self.position)

    def node(self, index: int) -> Node:
        """Return what never changes about a node."""
        return self.recording.node(index)

    def find(self, name: str) -> int | None:
        """Return the node with this name; of several, the one made last.

        For `h₁` one may also write `h1`, and for the last of `h₀`, `h₁`, `h₂`, just `h`.
        """
        return node_called(self.recording.names(self.position), name)


def step_number(recording: Recording, ordinal: int) -> int | None:
    """Return the number of a training step; None where nothing is trained."""
    return _number_of(recording, recording.steps, ordinal)


def _number_of(recording: Recording, steps: Sequence[int], ordinal: int) -> int | None:
    match recording.blocks[recording.history.block_at(steps[ordinal])]:
        case Marked(kind="step", number=int() as number):
            return number
        case Marked(kind=kind, number=None) if kind != "step":
            return None  # what begins here has a name
    return ordinal if len(steps) > 1 else None
