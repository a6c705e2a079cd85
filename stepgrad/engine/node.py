"""`Node`: a number in a graph, and how it is laid out.

It is apart from `Value`, which adds what a program does with one, so that the backward pass and
tapes can name what they work on, and `Value` can use both.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Self

from stepgrad.engine.ops import Op

tick = count().__next__
"""Stamps for nodes: one for each of the process, in the order in which they are made."""


class Node:
    """A number, its gradient, and the operation and operands that it comes from.

    Assigning to one of these reports to no tape.
    """

    # In __dict__ is what a program keeps on its values, as optimizers keep moments in `p.m`.
    __slots__ = (
        "__dict__",
        "__weakref__",
        "_data",
        "_first",
        "_grad",
        "_operation",
        "_second",
        "_stamp",
    )

    _data: float
    _grad: float
    _label: str | None = None  # in __dict__: few have one
    # Only a node of an operation of the program's own has these, in __dict__ (`own.py`).
    _locals: Sequence[float] = ()  # its local derivatives, one for each operand
    _others: tuple[Self, ...] = ()  # its operands after the first, if there are more than two
    _operation: Op
    # The operands. A tuple of them would be one more object for each node: a third of the time.
    _first: Self | None
    _second: Self | None
    _stamp: int  # from `tick`

    @property
    def _operands(self) -> tuple[Self, ...]:
        first, second = self._first, self._second
        if first is None:
            return ()
        return (first, *self._others) if second is None else (first, second)
