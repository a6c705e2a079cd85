"""The calls that make an object, without the objects of the program in them (`Looking`)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from types import BuiltinFunctionType, CodeType, FrameType, FunctionType, MethodType, ModuleType
from typing import Any

from stepgrad.foreign.frames import CONSTRUCTOR, ENGINE, Frames, arguments, is_function
from stepgrad.foreign.makers import Call
from stepgrad.foreign.nodes import Shadow, as_float, read

_MOST = 4
"""How many calls of the class, one inside the other, are looked at."""

_OPAQUE = FunctionType, BuiltinFunctionType, MethodType, ModuleType, type
"""What keeps no operands."""

_plain = (str, bool, int, float, complex, type, FunctionType, type(None))


class Looking:
    """Looks at calls. What it returns keeps no object of the program alive.

    Args:
        nodes: what stands in for an object, by its id.
        frames: knows the code on the stack.
    """

    def __init__(self, nodes: Mapping[int, Shadow], frames: Frames) -> None:
        self._nodes = nodes
        self._frames = frames
        self._sequences: dict[int, str] = {}  # by the id of a constructor's code

    def made_by(self, maker: FrameType) -> Iterator[Call]:
        """Yield the calls that make an object: the innermost, and those of the class around it."""
        frame: FrameType | None = maker
        for _ in range(_MOST):
            if frame is None or not is_function(frame):
                return
            if frame is not maker and self._frames.of(frame).role != ENGINE:
                return
            given = {name: self.stand_in(each) for name, each in arguments(frame).items()}
            names = frame.f_code.co_freevars
            local = frame.f_locals if names else {}
            cells = {name: self.stand_in(local[name]) for name in names if name in local}
            yield Call(frame.f_code, given, frame.f_globals, cells)
            frame = frame.f_back

    def stand_in(self, argument: Any) -> Any:
        """Return the node of an object, or what is no object of the class: numbers, for example."""
        node = self._nodes.get(id(argument))
        if node is not None:
            return node
        if isinstance(argument, _plain):
            return argument
        if isinstance(argument, list | tuple):
            return tuple([self.stand_in(each) for each in argument])
        if isinstance(argument, dict):
            return tuple([self.stand_in(each) for pair in argument.items() for each in pair])
        return as_float(argument)

    def given_like(self, values: Any, constructor: FrameType) -> Any:
        """Return the argument of a constructor that has the same objects as a set, in order."""
        code, local = constructor.f_code, constructor.f_locals
        name = self._sequences.get(id(code))
        if name is None:
            of_class = self._frames.of(constructor).role == CONSTRUCTOR
            name = _named_like(values, code, local) if of_class else None
            if name is None:
                return None
            self._sequences[id(code)] = name
        given = local.get(name)
        return given if isinstance(given, tuple | list) else None


def lifting(maker: FrameType, role: int, nodes: Mapping[int, Shadow]) -> bool | None:
    """Whether what a frame makes of a number is a constant; None if that depends on its caller.

    It is in a method of an object: there, a number is lifted to take part in an operation.
    """
    if not is_function(maker):
        return False
    code = maker.f_code
    of_object = code.co_argcount and id(maker.f_locals.get(code.co_varnames[0])) in nodes
    return True if role == ENGINE and of_object else None


def kept_by(thing: Any) -> Collection[Any]:
    """Return what an object of the program keeps: of that which made a result, the operands."""
    kept = None if isinstance(thing, _OPAQUE) else read(thing, "__dict__")
    return kept.values() if isinstance(kept, dict) else ()


def callers(maker: FrameType, depth: int) -> Iterator[tuple[int, int]]:
    """Yield what the callers of a frame are known by: their code, and the instruction."""
    frame = maker.f_back
    while frame is not None and depth:
        yield id(frame.f_code), frame.f_lasti
        frame, depth = frame.f_back, depth - 1


def _named_like(values: Any, code: CodeType, local: Mapping[str, Any]) -> str | None:
    """Return the argument that has the same objects as a set, in some order."""
    wanted = {*map(id, values)}
    for name in code.co_varnames[: code.co_argcount]:
        given = local.get(name)
        if isinstance(given, tuple | list) and {*map(id, given)} == wanted:
            return name
    return None
