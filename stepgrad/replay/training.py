"""Training as a whole: which parameters it changes, their history, and the loss curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from stepgrad.recording.blocks import Backward, Write
from stepgrad.recording.kept import kept
from stepgrad.recording.recording import Recording
from stepgrad.replay.state import State


def trains(recording: Recording) -> bool:
    """Whether there are training steps, and not just passes in forward and reverse mode."""
    steps = recording.steps
    return len(steps) > 1 and State(recording, steps[0] + 1).step is not None


def steps_trained(recording: Recording) -> int:
    """How many training steps there are, without one that only looks at the result in the end."""
    last = len(recording.steps) - 1
    return last + (_backward(recording, last) is not None)


@kept(1)
def parameters(recording: Recording) -> Sequence[int]:
    """Return the nodes whose values the program updates, in the order of creation."""
    return tuple(recording.history.index.updated())


@kept(256)
def course(recording: Recording, node: int, points: int) -> Sequence[float]:
    """Return a node's value at up to `points` training steps, evenly spread, first and last."""
    steps = [*recording.steps[1:], recording.length]
    values = (recording.history.value(node, steps[i]) for i in _spread(len(steps), points))
    return tuple(value for value in values if value is not None)


@kept(256)
def gradient_course(recording: Recording, node: int, points: int) -> Sequence[float]:
    """Return a node's gradient after up to `points` backward passes, one for each step."""
    ends = (block.start + block.length for _, block in _passes(recording, points))
    gradients = (recording.history.grad(node, end) for end in ends)
    return tuple(gradient for gradient in gradients if gradient is not None)


def last_update(recording: Recording, position: int) -> int:
    """Return the position of the last update up to a position; 0 if there is none."""
    block = updating(recording, position)
    return 0 if block is None else min(position, block.start + block.length)


def updating(recording: Recording, position: int) -> Write | None:
    """Return the last update that has begun by a position; None if there is none."""
    here = recording.history.block_at(position - 1) if position else -1
    for number in range(here, -1, -1):
        block = recording.blocks[number]
        if isinstance(block, Write) and block.writes.updates:
            return block
    return None


class Loss(NamedTuple):
    """The loss of a training step: `ordinal` counts steps from 0."""

    ordinal: int
    value: float


@kept(4)
def losses(recording: Recording, points: int) -> Sequence[Loss]:
    """Return the loss in up to `points` training steps, evenly spread.

    That is the root of a step's backward pass, before the step's update. For a step without a
    backward pass, such as the last one after training, it is the node with the root's name.
    """
    found = ((ordinal, _loss(recording, ordinal)) for ordinal in _steps(recording, points))
    return tuple(Loss(ordinal, value) for ordinal, value in found if value is not None)


def _loss(recording: Recording, ordinal: int) -> float | None:
    block, (_, end) = _backward(recording, ordinal), _bounds(recording, ordinal)
    if block is not None:
        return recording.history.value(block.root, block.start)
    root = State(recording, end).destination
    return None if root is None else recording.history.value(root, end)


def _passes(recording: Recording, points: int) -> list[tuple[int, Backward]]:
    """Return the last backward pass of up to `points` steps, with the ordinal of its step."""
    blocks = ((ordinal, _backward(recording, ordinal)) for ordinal in _steps(recording, points))
    return [(ordinal, block) for ordinal, block in blocks if block is not None]


def _backward(recording: Recording, ordinal: int) -> Backward | None:
    """The last backward pass of a step."""
    blocks = recording.blocks_between(*_bounds(recording, ordinal))
    return next((block for block in reversed(blocks) if isinstance(block, Backward)), None)


def _bounds(recording: Recording, ordinal: int) -> tuple[int, int]:
    """The positions between which a step lies."""
    steps = recording.steps
    return steps[ordinal], steps[ordinal + 1] if ordinal + 1 < len(steps) else recording.length


def _steps(recording: Recording, points: int) -> Sequence[int]:
    """The ordinals of up to `points` steps."""
    return _spread(len(recording.steps), points)


def _spread(count: int, points: int) -> Sequence[int]:
    """Return up to `points` of `count` places, evenly spread, including the first and the last."""
    points = min(points, count)
    if points < 2:
        return range(count - points, count)
    return [i * (count - 1) // (points - 1) for i in range(points)]
