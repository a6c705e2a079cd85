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
    last = recording.blocks_between(recording.steps[-1], recording.length)
    nodes = sum(len(block.structure) for block in last if isinstance(block, Forward))
    number = len(recording.steps)
    while longer.length < events:
        shift = longer.size + nodes - recording.size
        for block in last:
            longer.add(_like(block, longer.length, shift, number))
        number += 1
    return longer


def _like(block: Block, start: int, shift: int, number: int) -> Block:
    """Return a block of the same numbers, of nodes that were made so much later."""
    match block:
        case Forward(structure=structure, base=base, values=values):
            return Forward(start, structure, base + shift, array("d", values))
        case Backward(sweep=sweep, root=root, base=base, grads=grads):
            return Backward(start, sweep, root + shift, base + shift, array("d", grads))
        case Write(writes=writes, after=after, rule=rule):
            return Write(start, writes, array("d", after), rule)
        case Marked(kind=kind):
            return Marked(start, kind, number)
