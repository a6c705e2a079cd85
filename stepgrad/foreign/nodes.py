"""What stands in for an object of a program's own class in the recording (`Shadow`)."""

from __future__ import annotations

from math import inf
from numbers import Real
from typing import Any

from stepgrad.engine.node import Node


class Shadow(Node):
    """The node of an object of the program. It keeps no object alive, and no object keeps it."""

    __slots__ = ()

    def has_operand(self, node: Node) -> bool:
        """Whether a node is one of those that this one was computed from."""
        if self._first is node or self._second is node:
            return True
        return any(each is node for each in self._others)


def as_float(value: Any) -> float | None:
    """Return a number as a float, also one in an array without dimensions; None for others."""
    kind = type(value)
    if kind is float:
        return value  # type: ignore[no-any-return]
    if kind is not int and not isinstance(value, Real) and read(value, "shape") != ():
        return None
    try:
        return float(value)
    except TypeError:
        return None
    except OverflowError:
        return inf if bool(value > 0) else -inf


def same(one: float, other: float, tolerance: float = 0.0) -> bool:
    """Whether two numbers are the same, up to a relative error; nan is the same as nan."""
    if one == other or (one != one and other != other):
        return True
    return abs(one - other) <= tolerance * max(abs(one), abs(other))


def read(owner: object, name: str, default: Any = None) -> Any:
    """Return an attribute of an object of the program, and run no code of its class for that."""
    try:
        return object.__getattribute__(owner, name)
    except AttributeError:
        return default
