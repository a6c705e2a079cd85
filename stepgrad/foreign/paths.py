"""What arrives on the way to a gradient that a recursive backward pass writes (`Paths`).

In `backward(self, g)`, which calls itself for the operands, each call hands on one path. Where only
leaves keep a gradient, as in PyTorch, or a node adds to its own after it has called its operands,
nothing is written on the way to a leaf. What has arrived there is an argument of each call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import CodeType, FrameType

from stepgrad.engine.ops import CONSTANT
from stepgrad.foreign.door import Door
from stepgrad.foreign.frames import Frames, arguments
from stepgrad.foreign.nodes import Shadow, as_float


class Paths:
    """The calls of a recursive pass that are running, from the root, and what they were given.

    Args:
        nodes: what stands in for an object, by its id.
        frames: knows the code on the stack.
        slot: which operand of a node receives next.
        door: what is told of what arrives.
    """

    def __init__(
        self,
        nodes: Mapping[int, Shadow],
        frames: Frames,
        slot: Callable[[Shadow, Shadow], int],
        door: Door,
    ) -> None:
        self._nodes = nodes
        self._frames = frames
        self._slot = slot
        self._door = door
        self._way: list[FrameType] = []
        self._seen = set[Shadow]()
        self._led = False

    def clear(self) -> None:
        """The pass is over."""
        self._way.clear()
        self._seen.clear()

    def reported(self, node: Shadow) -> bool:
        """Whether something that arrived at a node was reported before its gradient was written."""
        return node in self._seen

    def inside(self, node: Shadow) -> bool:
        """Whether the gradient of a node may be one that was reported, and not written."""
        return self._led and bool(node._operation.partials)

    def lead(self, frame: FrameType, *, seeded: bool) -> None:
        """Report what has arrived on the way to a call that writes a gradient.

        Where the pass is `seeded`, its root has a gradient already.
        """
        new = list[FrameType]()
        at: FrameType | None = frame
        while at is not None and at not in self._way:
            if at.f_code is frame.f_code:
                new.append(at)
            at = at.f_back
        known = 0 if at is None else self._way.index(at) + 1
        self._way[known:] = reversed(new)
        for place in range(known, len(self._way) - 1):
            if place or not seeded:
                self._arrived(place)

    def _arrived(self, place: int) -> None:
        node, passed = self._given(self._way[place])
        if node is None or passed is None or node._operation is CONSTANT:
            return
        after = node._grad + passed
        self._led = True
        if place == 0:
            self._door.seeded(node, after, self._frames.line(self._way[place]))
            self._seen.add(node)
            return
        out, _ = self._given(self._way[place - 1])
        if out is not None and out.has_operand(node):
            line = self._frames.line(self._way[place - 1])
            self._door.received(out, self._slot(out, node), node, after, line)
            self._seen.add(node)

    def _given(self, frame: FrameType) -> tuple[Shadow | None, float | None]:
        """Return the node that a call is for, and the gradient that it was given."""
        given = [*arguments(frame).values()]
        found = (self._nodes.get(id(each)) for each in given)
        numbers = (as_float(each) for each in given if not isinstance(each, bool))
        node = next((each for each in found if each is not None), None)
        return node, next((each for each in numbers if each is not None), None)


def calls_itself(code: CodeType, frame: FrameType | None, depth: int) -> bool:
    """Whether one of a few frames, from one upwards, runs some code."""
    for _ in range(depth):
        if frame is None:
            return False
        if frame.f_code is code:
            return True
        frame = frame.f_back
    return False
