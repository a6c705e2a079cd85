"""Whether the operations of a class give what they stand for: the first few times that they run.

Many are made of others, such as `a - b` of `a + b * -1`, and each object that these make may be
right: that `__sub__` has made a sum shows only where it returns. Its result is the last object that
is made before that. One that is not made from all that the operation was given passes nothing back
to the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import FrameType
from typing import NamedTuple

from stepgrad.engine.ops import CONSTANT
from stepgrad.foreign.calls import Looking
from stepgrad.foreign.door import Door
from stepgrad.foreign.frames import ENGINE, Frames, arguments
from stepgrad.foreign.makers import (
    is_in_place,
    is_operation,
    is_operator,
    nearly,
    operation,
    value_of,
)
from stepgrad.foreign.nodes import Shadow, as_float
from stepgrad.numbers import factor, number
from stepgrad.recording.naming.sites import Spot

_OFTEN = 3
"""How often each operator is looked at, for each way to mix objects and numbers in a call."""

_MOST_LOOKS = 64
"""How many objects that calls of one operation make are looked at.

The frame of the next call may be where that of the last one was, so that calls cannot be counted.
"""


class _Call(NamedTuple):
    """A call of an operation, with numbers. While it runs, its frame is known by an id.

    `operator` is whether an operator calls it, so that its name says what it computes; `given` are
    the operands that are objects, and no constants.
    """

    name: str
    frame: int
    operands: tuple[float, ...]
    operator: bool
    given: tuple[Shadow, ...]


class Operators:
    """The operations, each known by the outermost that is running.

    Args:
        looking: looks at arguments.
        frames: knows the code on the stack.
        door: what is told of a result that is not that of the operator.
    """

    def __init__(self, looking: Looking, frames: Frames, door: Door) -> None:
        self.call: _Call | None = None
        self._looking = looking
        self._frames = frames
        self._door = door
        self._result: Shadow | None = None
        self._leaf: Shadow | None = None
        self._kids: Sequence[Shadow] = ()
        self._computed = 0
        self._line: Spot | None = None
        self._times: dict[tuple[str, int], int] = {}
        self._looks: dict[str, int] = {}
        self._said: set[tuple[str, str]] = set()

    def look(self, frame: FrameType | None) -> None:
        """An object is made by this frame, or by what it calls."""
        outer = None
        while frame is not None:
            code = self._frames.of(frame)
            if code.role != ENGINE:
                break
            if is_operation(frame.f_code):
                outer = frame
                code.fresh = max(0, code.fresh - 1)
            frame = frame.f_back
        if self.call is not None and (outer is None or self.call.frame != id(outer)):
            self.settle()
        call = None if outer is None else self._called(outer)
        if call != self.call:
            self.settle()
            self.call = call
        if call is not None and outer is not None:
            self._line = self._frames.line(outer)

    def made(self, node: Shadow, kids: Sequence[Shadow]) -> None:
        """That object is complete. An operand that was only lifted is no result."""
        if node._operation.partials:
            self._result, self._kids = node, kids
            self._computed += 1
        else:
            self._leaf = node

    def settle(self) -> None:
        """The operation has returned: compare its result with what it stands for."""
        call, node, leaf, kids = self.call, self._result, self._leaf, self._kids
        alone = self._computed < 2  # not made of other operations, as `a - b` may be
        self._forget()
        if call is None:
            return
        op, reflected = operation(call.name)
        operands = call.operands[::-1] if reflected else call.operands
        true = None if len(operands) != len(op.partials) else value_of(op, operands)
        if true is None:
            return
        made = [each for each in (node, leaf) if each is not None]
        result = next((each for each in made if nearly(op, operands, each._data)), None)
        if result is not None:
            kids = kids if result is node else ()
            if alone and not {*call.given} <= {*kids}:
                self._remark("some children" if kids else "childless", call, result, call.name)
            return
        if node is None or not call.operator:
            return
        written = op.written(dict(zip(op.operands, map(factor, operands), strict=True)))
        text = f"`{call.name}` makes {number(node._data)} of {written}; right is {number(true)}"
        self._remark("forward", call, node, text)

    def _forget(self) -> None:
        self.call = self._result = self._leaf = None
        self._kids, self._computed = (), 0

    def _remark(self, kind: str, call: _Call, node: Shadow, text: str) -> None:
        """Say something of an operation once."""
        if (kind, call.name) not in self._said:
            self._said.add((kind, call.name))
            self._door.remark(kind, node, self._line, text)

    def _called(self, frame: FrameType) -> _Call | None:
        name = frame.f_code.co_name
        looks = self._looks[name] = self._looks.get(name, 0) + 1
        if looks > _MOST_LOOKS:
            self._forget()  # it may be in the middle of a call
            return None
        operands, objects = list[float](), list[Shadow]()
        for each in arguments(frame).values():
            given = self._looking.stand_in(each)
            plain = given._data if isinstance(given, Shadow) else as_float(given)
            if isinstance(given, Shadow) and given._operation is not CONSTANT:
                objects.append(given)
            if plain is None:
                return None
            operands.append(plain)
        if self.call is None or self.call.frame != id(frame):
            times = self._times.get((name, len(objects)), 0)
            if times >= _OFTEN:
                return None
            self._times[name, len(objects)] = times + 1
        operator = is_operator(frame.f_code)
        return _Call(name, id(frame), tuple(operands), operator, tuple(objects))


def in_place(frame: FrameType, node: Shadow, nodes: Mapping[int, Shadow]) -> str:
    """Say that an operator such as `+=` computes a node with another in place, if a frame does."""
    if not is_in_place(frame.f_code):
        return ""
    given = (nodes.get(id(each)) for each in arguments(frame).values())
    if all(each is None or each is node or each._operation is CONSTANT for each in given):
        return ""
    name = frame.f_code.co_name
    return f"`{name}` changes a number in place, and makes no node: it is not checked"
