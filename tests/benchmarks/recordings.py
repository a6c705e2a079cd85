"""The recordings that the benchmarks of the replay ask: a long training, and one big pass."""

from __future__ import annotations

from array import array
from random import Random

from stepgrad import SGD, Recording, Value, mark, record
from stepgrad.engine.nn import MLP
from stepgrad.recording.blocks import Backward, Block, Forward, Marked, Write

XOR = [([0.0, 0.0], -1.0), ([0.0, 1.0], 1.0), ([1.0, 0.0], 1.0), ([1.0, 1.0], -1.0)]


def training(events: int) -> Recording:
    """A [2, 4, 4, 1] tanh network that learns XOR until there are this many events."""
    network = MLP.drawn([2, 4, 4, 1], ["tanh"] * 3, Random(1))
    optimizer = SGD(network.parameters(), learning_rate=0.05)
    step = 0
    with record() as recording:
        while recording.length < events:
            mark("step", step)
            loss = Value(0.0)
            for row, target in XOR:
                [y] = network([Value(x, label=f"x{i}") for i, x in enumerate(row, 1)])
                loss = loss + (y - target) ** 2
            loss.label = "loss"
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            step += 1
    return recording


def one_pass() -> Recording:
    """A single pass through a network of 100,000 nodes: two blocks."""
    draw = Random(1)
    with record() as recording:
        network = MLP.drawn([100, 160, 100, 1], ["tanh"] * 3, draw, (-0.1, 0.1))
        [y] = network([Value(draw.uniform(-1, 1), label=f"x{i}") for i in range(1, 101)])
        ((y - 1) ** 2).backward()
    return recording


def repeated(recording: Recording, events: int) -> Recording:
    """The last training step of a recording, repeated until there are this many events.

    Every block has columns of its own, as if the program had run on.
    """
    longer = Recording()
    for block in recording.blocks:
        longer.add(block)
    forwards = {b.base: b for b in recording.blocks if isinstance(b, Forward)}
    last = recording.blocks_between(recording.steps[-1], recording.length)
    number = len(recording.steps)
    while longer.length < events:
        for block in last:
            longer.add(_like(block, longer, forwards, number))
        number += 1
    return longer


def _like(block: Block, longer: Recording, forwards: dict[int, Forward], number: int) -> Block:
    """Return a block of the same numbers, at the end; `forwards` are the latest of their kind."""
    start = longer.length
    match block:
        case Forward(structure=structure, base=base, values=values, earlier=earlier):
            passes = tuple(forwards[each.base] for each in earlier)
            like = Forward(start, structure, longer.size, array("d", values), None, passes)
            like.context = block.context
            forwards[base] = like
            return like
        case Backward(sweep=sweep, over=over, grads=grads):
            passes = tuple(forwards[each.base] for each in over)
            return Backward(start, sweep, passes, array("d", grads))
        case Write(writes=writes, after=after, rule=rule):
            return Write(start, writes, array("d", after), rule)
        case Marked(kind=kind):
            return Marked(start, kind, number)
