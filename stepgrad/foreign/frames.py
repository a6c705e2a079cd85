"""What the code on the stack is for, and which line a frame is at.

A frame knows its code and the instruction that it is at, and reading these two is cheap. What
follows from them is worked out once for each instruction, and kept with the code.
"""

from __future__ import annotations

from types import CodeType, FrameType, FunctionType
from typing import Any

from stepgrad.foreign.classes import functions_of, with_nested
from stepgrad.foreign.makers import is_in_place, is_operation, is_operator
from stepgrad.foreign.sites import MakingSite, WritingSite
from stepgrad.foreign.taped import rules_in
from stepgrad.recording.naming.sites import Spot
from stepgrad.recording.places import is_ours

PROGRAM, OURS, ENGINE, CONSTRUCTOR, ACCESSOR = range(5)
"""The roles of code: anything else; ours; of the class; sets up an object; does an assignment."""

_CONSTRUCTORS = ("__init__", "__post_init__", "__attrs_post_init__", "__new__")
_ACCESSORS = ("__setattr__",)
_FRESH = 24
_NEAR = 3
"""How far up the stack what sets up an object is looked for."""
_FUNCTION = 1
"""The flag of code whose variables are local: that of a function, not of a module or class."""

_GENERATOR = 32
"""The flag of code that is run by whatever asks it for the next thing."""


class Code:
    """A piece of code: its role, and what is known of its instructions, by their offsets.

    While it is `fresh`, results of operators that it takes part in are compared with what these
    stand for; each time, it is a little less so. `rules` has the names of attributes that functions
    use which it defines for its arguments, as a rule does.
    """

    __slots__ = ("code", "fresh", "lines", "making", "role", "rules", "writing")

    def __init__(self, code: CodeType, role: int) -> None:
        self.code = code  # kept alive: its id is a key
        self.role = role
        self.fresh = _FRESH if role == ENGINE and is_operation(code) else 0
        self.rules = rules_in(code)
        self.lines: dict[int, Spot] = {}
        self.making: dict[int, MakingSite] = {}
        self.writing: dict[int, WritingSite] = {}

    @property
    def runs_rules(self) -> bool:
        """Whether it is of the class, or a function of the program that does its backward pass."""
        rules = any(site.variable for site in self.writing.values())
        return rules or self.role not in (PROGRAM, OURS)


class Frames:
    """The code of a program, by the ids of code objects."""

    def __init__(self) -> None:
        self.codes: dict[int, Code] = {}
        self._lines: dict[Spot, Spot] = {}

    def learn(self, cls: type) -> None:
        """Register the code of a class that is an engine."""
        for function in functions_of(cls):
            for code in with_nested(function.__code__):
                self._register(code, ENGINE)
            own = function.__code__
            if own.co_name in _CONSTRUCTORS:
                self._register(own, CONSTRUCTOR)
            elif own.co_name in _ACCESSORS:
                self._register(own, ACCESSOR)
        for member in vars(cls).values():
            if isinstance(member, property) and isinstance(member.fset, FunctionType):
                self._register(member.fset.__code__, ACCESSOR)

    def _register(self, code: CodeType, role: int) -> Code:
        found = self.codes[id(code)] = Code(code, role)
        return found

    def of(self, frame: FrameType, made: object = None) -> Code:
        """Return the code of a frame; `made` is the object that is being set up, if any."""
        code = frame.f_code
        found = self.codes.get(id(code))
        if found is None:
            role = OURS if is_ours(code.co_filename) else PROGRAM
            if role == PROGRAM and self._helps(frame):
                role = ENGINE
            if code.co_name in _CONSTRUCTORS and code.co_argcount:
                first = frame.f_locals.get(code.co_varnames[0])
                if first is made or (isinstance(first, type) and isinstance(made, first)):
                    role = CONSTRUCTOR  # that a decorator has written
            found = self._register(code, role)
        return found

    def _helps(self, frame: FrameType) -> bool:
        """Whether a function is called by the class, or by what helps it in this way.

        Many classes leave it to such functions to make their objects. A generator may be handed to
        the class by the program.
        """
        caller = frame.f_back
        if caller is None or not is_function(frame) or frame.f_code.co_flags & _GENERATOR:
            return False
        known = self.codes.get(id(caller.f_code))
        return self._helps(caller) if known is None else known.role == ENGINE

    def in_operator(self, frame: FrameType | None) -> bool:
        """Whether this is an operator, or what one calls within the class."""
        while frame is not None and self.of(frame).role == ENGINE:
            if is_operator(frame.f_code) or is_in_place(frame.f_code):
                return True
            frame = frame.f_back
        return False

    def constructs(self, frame: FrameType | None) -> bool:
        """Whether this sets up an object, or is called by what does, such as `forward()`."""
        for _ in range(_NEAR):
            if frame is None:
                return False
            if self.of(frame).role >= CONSTRUCTOR:
                return True
            frame = frame.f_back
        return False

    def outside(self, frame: FrameType | None, made: object = None) -> FrameType | None:
        """Return the innermost frame that is no part of setting up an object or an attribute."""
        while frame is not None and self.of(frame, made).role >= CONSTRUCTOR:
            frame = frame.f_back
        return frame

    def line(self, frame: FrameType) -> Spot:
        """Return the line that a frame is at. Equal lines are the same object."""
        lines = self.of(frame).lines
        found = lines.get(frame.f_lasti)
        if found is None:
            found = frame.f_lineno, frame.f_code.co_filename
            found = lines[frame.f_lasti] = self._lines.setdefault(found, found)
        return found


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
