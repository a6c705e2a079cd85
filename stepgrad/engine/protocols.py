"""What Python and numpy ask of a Value besides arithmetic, as far as its number answers that.

Comparing and formatting go by the number. `==` does not: a Value equals only itself, so that it can
be in a set or be the key of a dict. What would turn it into a plain number (`float(v)`, and so
`math.exp(v)`) is refused: the result would silently be cut off from the graph.

numpy needs nothing: it takes a Value for an object, and computes with arrays of these by the
operators and methods of each.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from numbers import Real
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, Self

from stepgrad.engine.node import Node

_NOT_A_NUMBER = (
    "a Value is not a plain number: write v.exp() for math.exp(v), and v.data or v.grad where a "
    "number is needed, as in p.data -= 0.1 * p.grad"
)


class RealNumber(Protocol):
    """A number that mixes with floats: those of Python and numpy do, Decimal does not."""

    def __float__(self) -> float: ...
    def __hash__(self) -> int: ...
    def __rdivmod__(self, other: float, /) -> Any: ...


def _comparison(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def method(self: Node, other: object) -> bool:
        if isinstance(other, Node):
            return compare(self._data, other._data)
        return compare(self._data, other) if isinstance(other, Real) else NotImplemented

    return method


class Protocols(Node):
    """A node that compares and formats as its number does."""

    __slots__ = ()

    __lt__, __le__ = _comparison(operator.lt), _comparison(operator.le)
    __gt__, __ge__ = _comparison(operator.gt), _comparison(operator.ge)

    def conjugate(self) -> Self:
        """Return the number itself, as it is real: numpy asks for that, in a variance."""
        return self

    def __format__(self, spec: str) -> str:
        return format(self._data, spec) if spec else str(self)

    if not TYPE_CHECKING:  # so that type checkers refuse float(v), too

        def __float__(self, *_: object) -> NoReturn:  # round(v, 2) has digits
            raise TypeError(_NOT_A_NUMBER)

        __int__ = __round__ = __trunc__ = __floor__ = __ceil__ = __float__
