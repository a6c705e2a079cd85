"""How much memory a recording may take, and how much of it is spent.

A program may go on for ever; what it records may not. Bytes are counted by rules of our own, which
are about what Python takes, and the same each time: a recording with a small budget stops at the
same event wherever it is made.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from weakref import WeakMethod

from stepgrad.recording.blocks import Backward, Block, Forward, Write
from stepgrad.recording.foreign.sweep import ForeignBackward, ForeignSweep
from stepgrad.recording.structure import Context, Structure
from stepgrad.recording.sweep import Sweep
from stepgrad.recording.writes import Writes

NODE = 256
"""Bytes of a node whose pass is not in the log yet: a whole Value is kept."""

_BLOCK = 320
_NUMBER = 8
_NAME = 128
_SHAPE = 512
_SHAPE_NODE, _SHAPE_EDGE, _SHAPE_STORED_EDGE, _SHAPE_WRITE = 40, 16, 48, 96

_USUAL = gc.get_threshold()
_SELDOM = 20_000, *_USUAL[1:]  # at how many new objects Python looks for garbage

_Shape = Structure | Context | Sweep | Writes


class Budget:
    """The bytes that a recording may take."""

    def __init__(self, memory: int) -> None:
        self.memory = memory
        self._left = memory
        self._shapes: set[_Shape] = set()

    def take(self, block: Block) -> None:
        """Pay for a block, and for its shape where it is the first of it."""
        shapes: tuple[_Shape, ...] = ()
        numbers = 0
        if isinstance(block, Forward):
            shapes = block.structure, block.context
            numbers = len(block.values) * (1 if block.tangents is None else 2)
            numbers += len(block.stored)
        elif isinstance(block, ForeignBackward):
            shapes, numbers = (block.sweep,), len(block.after)
        elif isinstance(block, Backward):
            shapes, numbers = (block.sweep,), len(block.grads)
        elif isinstance(block, Write):
            columns = 0 if block.rule is None else len(block.rule.columns)
            shapes, numbers = (block.writes,), len(block.after) * (1 + columns)
        self._left -= _BLOCK + _NUMBER * numbers
        for shape in shapes:
            if shape not in self._shapes:
                self._shapes.add(shape)
                self._left -= _of_shape(shape)

    def take_name(self) -> None:
        """Pay for a name that a node gets when it is in the log already."""
        self._left -= _NAME

    @property
    def spent(self) -> bool:
        """Whether recording should end with this pass."""
        return self._left < 0

    @property
    def overspent(self) -> bool:
        """Whether it should end now: what came since took as much again."""
        return self._left < -self.memory

    @property
    def room(self) -> int:
        """The most nodes that may wait for the end of their pass, before all is overspent."""
        return max(1, (self._left + self.memory) // NODE)

    def holds(self, nodes: int) -> bool:
        """Whether this many nodes may wait for the end of their pass."""
        return nodes <= 1 or nodes * NODE <= self._left + self.memory


def _of_shape(shape: _Shape) -> int:
    match shape:
        case Structure():
            return _SHAPE + _SHAPE_NODE * len(shape)
        case Context():
            return _SHAPE + _NAME * (len(shape.names) + len(shape.places))
        case ForeignSweep():
            return _SHAPE + _SHAPE_STORED_EDGE * shape.edges
        case Sweep():
            return _SHAPE + _SHAPE_EDGE * shape.edges
        case Writes():
            return _SHAPE + _SHAPE_WRITE * len(shape.nodes)


def watch(look: WeakMethod[Callable[[], None]], room: int) -> Callable[[], None]:
    """Call `look` whenever Python has made many objects; return what ends that.

    Python looks for garbage then, in whichever thread: it costs nothing where Values are made. It
    looks less often meanwhile, unless the program has said how often: what is recorded is kept
    until its pass is over, and looking at it again and again finds nothing. `room` is for how many
    nodes there is memory.
    """
    usual = gc.get_threshold()
    if usual == _USUAL and room > 10 * _SELDOM[0]:
        gc.set_threshold(*_SELDOM)

    def called(phase: str, _: Any) -> None:
        if phase == "start":
            alive = look()
            if alive is None:
                end()
            else:
                alive()

    def end() -> None:
        if usual == _USUAL and gc.get_threshold() == _SELDOM:
            gc.set_threshold(*usual)
        with suppress(ValueError):
            gc.callbacks.remove(called)

    gc.callbacks.append(called)
    return end
