"""Whether the operators of a class give what they stand for: the first few times that they run.

Many are made of others, such as `a - b` of `a + b * -1`, and each object that these make may be
right: that `__sub__` has made a sum shows only where it returns. Its result is the last object that
is made before that.
"""

from __future__ import annotations

from types import FrameType
from typing import NamedTuple

from stepgrad.foreign.calls import Looking
from stepgrad.foreign.door import Door
from stepgrad.foreign.frames import ENGINE, Frames, arguments
from stepgrad.foreign.makers import gives, is_operator, operation, value_of
from stepgrad.foreign.nodes import Shadow
from stepgrad.foreign.nodes import number as plain_number
from stepgrad.numbers import factor, number
from stepgrad.recording.naming.sites import Spot

_OFTEN = 3
"""How often each operator is looked at."""


class _Call(NamedTuple):
    """A call of an operator, with numbers. While it runs, its frame is known by an id."""

    name: str
    frame: int
    operands: tuple[float, ...]


class Operators:
    """The operators, each known by the outermost that is running.

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
        self._line: Spot | None = None
        self._times: dict[str, int] = {}
        self._said: set[str] = set()

    def look(self, frame: FrameType | None) -> None:
        """An object is made by this frame, or by what it calls."""
        outer = None
        while frame is not None:
            code = self._frames.of(frame)
            if code.role != ENGINE:
                break
            if is_operator(frame.f_code):
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

    def made(self, node: Shadow) -> None:
        """That object is complete. An operand that was only lifted is no result."""
        if node._operation.partials:
            self._result = node

    def settle(self) -> None:
        """The operator has returned: compare its result with what it stands for."""
        call, node = self.call, self._result
        self.call = self._result = None
        if call is None or node is None:
            return
        op, reflected = operation(call.name)
        operands = call.operands[::-1] if reflected else call.operands
        true = None if len(operands) != len(op.partials) else value_of(op, operands)
        if true is None or gives(op, operands, node._data) or call.name in self._said:
            return
        self._said.add(call.name)
        written = op.written(dict(zip(op.operands, map(factor, operands), strict=True)))
        text = f"`{call.name}` makes {number(node._data)} of {written}; right is {number(true)}"
        self._door.remark("forward", node, self._line, text)

    def _called(self, frame: FrameType) -> _Call | None:
        name = frame.f_code.co_name
        if self.call is None or self.call.frame != id(frame):
            times = self._times.get(name, 0)
            if times >= _OFTEN:
                return None
            self._times[name] = times + 1
        operands: list[float] = []
        for each in arguments(frame).values():
            given = self._looking.stand_in(each)
            plain = given._data if isinstance(given, Shadow) else plain_number(given)
            if plain is None:
                return None
            operands.append(plain)
        return _Call(name, id(frame), tuple(operands))
