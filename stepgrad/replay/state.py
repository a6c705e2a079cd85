"""`State`: the world at a position, worked out as far as it is asked for."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

from stepgrad.recording.blocks import Backward, Marked
from stepgrad.recording.events import Event, Phase
from stepgrad.recording.recording import Node, Recording


@dataclass(frozen=True, slots=True)
class State:
    """A recording after its first `position` events."""

    recording: Recording
    position: int

    @property
    def event(self) -> Event | None:
        """What happened last; None at the very start."""
        return self.recording.events[self.position - 1] if self.position else None

    @property
    def phase(self) -> Phase | None:
        """The phase of the last event."""
        event = self.event
        return event.phase if event else None

    @property
    def step(self) -> int | None:
        """The number of the training step; None before the first, and where nothing is trained."""
        steps, blocks = self.recording.steps, self.recording.blocks
        ordinal = bisect_left(steps, self.position) - 1
        if ordinal < 0:
            return None
        match blocks[self.recording.history.block_at(steps[ordinal])]:
            case Marked(number=int() as number):
                return number
        return ordinal if len(steps) > 1 else None

    @property
    def root(self) -> int | None:
        """The node that gradients are of: the root of the last backward pass that has begun."""
        here = self.recording.history.block_at(self.position - 1) if self.position else -1
        for number in range(here, -1, -1):
            block = self.recording.blocks[number]
            if isinstance(block, Backward):
                return block.root
        return None

    @property
    def made(self) -> int:
        """How many nodes there are, constants included; they are the first ones."""
        history = self.recording.history
        return bisect_right(range(self.recording.size), self.position, key=history.made_at)

    def value(self, node: int) -> float | None:
        """Return a node's value; None where it is not made yet."""
        return self.recording.history.value(node, self.position)

    def grad(self, node: int) -> float | None:
        """Return a node's gradient; None where nothing has reached it (in this pass)."""
        return self.recording.history.grad(node, self.position)

    def node(self, index: int) -> Node:
        """Return what never changes about a node."""
        return self.recording.node(index)

    def find(self, name: str) -> int | None:
        """Return the node of this name; of several, the one made last."""
        return self.recording.names(self.position).get(name)
