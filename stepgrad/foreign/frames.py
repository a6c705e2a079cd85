"""What the code on the stack is for, and which line a frame is at.

A frame knows its code and the instruction that it is at, and reading these two is cheap. What
follows from them is worked out once for each instruction.
"""

from __future__ import annotations

from types import CodeType, FrameType, FunctionType
from typing import Any

from stepgrad.foreign.classes import functions_of, with_nested
from stepgrad.recording.callers import Spot, is_ours

PROGRAM, ENGINE, CONSTRUCTOR, ACCESSOR = range(4)
"""The roles of code: anything else; of the class; sets up an object; carries out an assignment."""

_CONSTRUCTORS = ("__init__", "__post_init__", "__attrs_post_init__", "__new__")
_ACCESSORS = ("__setattr__",)
_FUNCTION = 1
"""The flag of code whose variables are local: that of a function, not of a module or class."""


class Frames:
    """The roles of code and the lines of instructions, by the ids of code that is kept alive."""

    def __init__(self) -> None:
        self.roles: dict[int, int] = {}
        self._kept: list[CodeType] = []
        self._spots: dict[int, dict[int, Spot]] = {}
        self._interned: dict[Spot, Spot] = {}

    def learn(self, cls: type) -> None:
        """Register the code of a class that is an engine."""
        for function in functions_of(cls):
            for code in with_nested(function.__code__):
                self.register(code, ENGINE)
            own = function.__code__
            if own.co_name in _CONSTRUCTORS:
                self.register(own, CONSTRUCTOR)
            elif own.co_name in _ACCESSORS:
                self.register(own, ACCESSOR)
        for member in vars(cls).values():
            if isinstance(member, property) and isinstance(member.fset, FunctionType):
                self.register(member.fset.__code__, ACCESSOR)

    def register(self, code: CodeType, role: int) -> int:
        """Keep what code is for."""
        self._kept.append(code)
        self.roles[id(code)] = role
        return role

    def role(self, frame: FrameType, made: object = None) -> int:
        """Return what a frame's code is for; `made` is the object that is being set up, if any."""
        code = frame.f_code
        role = self.roles.get(id(code))
        if role is None:
            role = PROGRAM
            if code.co_name in _CONSTRUCTORS and code.co_argcount:
                first = frame.f_locals.get(code.co_varnames[0])
                if first is made or (isinstance(first, type) and isinstance(made, first)):
                    role = CONSTRUCTOR  # that a decorator has written
            self.register(code, role)
        return role

    def outside(self, frame: FrameType | None, made: object = None) -> FrameType | None:
        """Return the innermost frame that is no part of setting up an object or an attribute."""
        while frame is not None and self.role(frame, made) >= CONSTRUCTOR:
            frame = frame.f_back
        return frame

    def line_of_program(self, frame: FrameType | None) -> Spot | None:
        """Return the innermost line that is not of the class: where the program uses it."""
        roles = self.roles
        while frame is not None:
            if not roles.get(id(frame.f_code)) and not is_ours(frame.f_code.co_filename):
                return self.line(frame)
            frame = frame.f_back
        return None

    def line(self, frame: FrameType) -> Spot:
        """Return the line that a frame is at. Equal lines are the same object."""
        code = frame.f_code
        try:
            return self._spots[id(code)][frame.f_lasti]
        except KeyError:
            spot = frame.f_lineno, code.co_filename
            spot = self._interned.setdefault(spot, spot)
            self._kept.append(code)
            self._spots.setdefault(id(code), {})[frame.f_lasti] = spot
            return spot


def is_function(frame: FrameType) -> bool:
    """Whether a frame is that of a function: its variables are its own."""
    return bool(frame.f_code.co_flags & _FUNCTION)


def arguments(frame: FrameType) -> dict[str, Any]:
    """Return the arguments of a function, as they are now."""
    code = frame.f_code
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(code.co_flags & 4) + bool(code.co_flags & 8)
    local = frame.f_locals
    return {name: local[name] for name in code.co_varnames[:count] if name in local}
