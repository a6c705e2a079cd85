"""Operations of a program's own: rows that are made at run time, and the nodes that have them.

A row of the op table has formulas for its derivatives. One of these has none: the local derivatives
of a node are numbers that are kept with it (`Node._locals`), and in a recording, with its block. So
it may have any number of operands, and the backward pass multiplies what is stored.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, partial
from math import nan
from typing import Any, ClassVar

from stepgrad.engine.formula import Formula
from stepgrad.engine.node import Node, tick
from stepgrad.engine.ops import BY_NAME, CONSTANT, OWN, Op
from stepgrad.engine.tape import active_tape

_CALL, _STORED = Formula(ast.Call(ast.Name("f"), [], [])), Formula("stored")
_MOST_WRITTEN = 4  # operands; of more, the first ones and the last one are written

KEPT = ("_closure", "_locals", "_others")
"""What a node keeps in its `__dict__` of an operation of the program's own."""

UNNAMED = "f"
"""What an operation is called whose program gives it no name."""


NO_RULE = "no rule"
"""How derivatives are found that the program has not given: they are 0."""

_UNDEFINED = (ArithmeticError, TypeError, ValueError)
"""What a program's function may raise for numbers that it was not meant for."""


@dataclass(frozen=True, eq=False, repr=False)
class OwnOp(Op):
    """An operation of a program's own.

    `function` computes it, and is None where it is not known: a program may give only the result,
    and a file has no functions. `derivatives` computes all local derivatives, and `by` says how the
    stored ones were found, if the program did not give them: "differences", or `NO_RULE`.
    """

    function: Callable[..., float] | None = None
    derivatives: Callable[..., Sequence[float]] | None = None
    by: str = ""

    stored: ClassVar[bool] = True

    @cached_property
    def operands(self) -> tuple[str, ...]:
        """Names for the operands: a, b, …, or x1, x2, … where there are many."""
        count = len(self.partials)
        return tuple("abcd"[:count]) if count <= 4 else tuple(f"x{i + 1}" for i in range(count))

    def written(self, names: Mapping[str, str]) -> str:
        """The operation in notation: `gelu(x)`, `dot(w1, w2, …, x200)`, and `x²` for `**2`."""
        arguments = [names.get(operand, operand) for operand in self.operands]
        if usual := _in_table(self.name, arguments):
            return usual
        if len(arguments) > _MOST_WRITTEN:
            arguments[_MOST_WRITTEN - 2 : -1] = ["…"]
        return f"{self.symbol}({', '.join(arguments)})"

    @property
    def described(self) -> str:
        """The operation in notation, and how its derivatives are found."""
        found = "0, as it has no rule" if self.by == NO_RULE else "stored"
        found += f", by {self.by}" * (self.by not in ("", NO_RULE))
        return f"{self.written({})}. Its derivatives are {found}."

    def __repr__(self) -> str:
        return f"<own op {self.name}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OwnOp) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @cached_property
    def _key(self) -> tuple[object, ...]:
        held = tuple(repr(each.constant) for each in self.partials)
        return self.name, held, self.function, self.derivatives, self.by

    @property
    def known(self) -> bool:  # type: ignore[override]
        """Whether its function is known."""
        return self.function is not None

    @property
    def found(self) -> str:  # type: ignore[override]
        """Where the derivatives are from."""
        if self.by == NO_RULE:
            return self.by
        return f"by {self.by}" if self.by else "stored"

    @cached_property
    def value(self) -> Callable[..., float]:
        """The forward function of the operands; nan where it is not known, or has no value."""
        return partial(_value, self.function)

    def at(self, inputs: Sequence[float]) -> OwnOp:
        """Return this row for a node that is computed from these numbers."""
        found: Sequence[float] = [nan] * len(inputs)
        if self.derivatives is not None:
            with suppress(*_UNDEFINED):
                found = self.derivatives(*inputs)
        return self.holding(found)

    def holding(self, stored: Sequence[float]) -> OwnOp:
        """Return this row for a node with these local derivatives: numbers instead of formulas."""
        return replace(self, partials=tuple([Formula(ast.Constant(each)) for each in stored]))

    @property
    def usual(self) -> OwnOp:
        """The row by name and number of operands only: the same in all recordings and files."""
        return row(self.name, len(self.partials))

    @cached_property
    def local(self) -> tuple[Callable[..., float], ...]:
        """The local derivatives, as functions: they give what a node holds, whatever is given."""
        return tuple(partial(_given, held) for held in self._held)

    @cached_property
    def carry(self) -> tuple[Callable[..., float], ...]:
        """What each operand receives: the last argument, upstream, times what a node holds."""
        return tuple(partial(_times, held) for held in self._held)

    @cached_property
    def magnitude(self) -> tuple[Callable[..., float], ...]:
        """The scale of the rounding error of each local derivative: its own."""
        return tuple(partial(_given, abs(held)) for held in self._held)

    @property
    def _held(self) -> Sequence[float]:
        held = [each.constant for each in self.partials]
        return [nan if each is None else each for each in held]

    @cached_property
    def vjp(self) -> Callable[[Node], None]:
        """Hand a node's gradient on to its operands."""
        return _vjp


_SIGNS = {"+": "add", "*": "mul", "·": "mul", "-": "neg", "−": "neg", "truediv": "div"}


def _in_table(name: str, operands: Sequence[str]) -> str | None:
    """Write an operation that is one of the table by its name: `x²` for `**2`, `a·b` for `mul`.

    `a - b` is none: micrograd's children are a set, so it is not known which comes first.
    """
    exponent = re.fullmatch(r"(?:\*\*|\^)\(?([-+.\de]+)\)?", name)
    if exponent and len(operands) == 1:
        name, operands = "pow", [*operands, exponent[1].replace("-", "−")]
    op = BY_NAME.get(_SIGNS.get(name, name))
    if op is None or op.stands_for is not None or len(op.partials) != len(operands) or not operands:
        return None
    return op.written(dict(zip(op.operands, operands, strict=True)))


def real(found: Any, what: str) -> float:
    """Return what a program gives for a number.

    Raises:
        TypeError: it is none, or a text, or a Value; `what` says what it is for.
    """
    try:
        if not isinstance(found, str):
            return float(found)
    except (TypeError, ValueError):
        pass
    kind = "None" if found is None else type(found).__name__
    raise TypeError(f"{what} must be a real number, not {kind}")


def _value(function: Callable[..., float] | None, *inputs: float) -> float:
    if function is None:
        return nan
    try:
        return float(function(*inputs))
    except _UNDEFINED:
        return nan


def _given(held: float, *_: float) -> float:
    return held


def _times(held: float, *numbers: float) -> float:
    return numbers[-1] * held


def _vjp(node: Node) -> None:
    upstream = node._grad
    # Both are as many, as `link` is given them; having `zip` make sure takes as long as the rest.
    for operand, local in zip(node._operands, node._locals):  # noqa: B905
        if operand._operation is not CONSTANT:
            operand._grad += upstream * local


@lru_cache(maxsize=1 << 12)
def row(
    name: str,
    arity: int,
    forward: Callable[..., float] | None = None,
    derivatives: Callable[..., Sequence[float]] | None = None,
    by: str = "",
) -> OwnOp:
    """Find or make the row of an operation: the same for the same arguments.

    Args:
        name: what it is called.
        arity: how many operands it has, at least one.
        forward: computes it from the numbers of its operands, if that is known.
        derivatives: computes its local derivatives from these, if that is known.
        by: how the stored derivatives are found; empty where the program gives them, and
            `NO_RULE` where it does not.
    """
    partials = (_STORED,) * arity
    if not (name + by).isprintable():
        from stepgrad.printable import printable  # noqa: PLC0415 - hardly any program needs it

        name, by = printable(name), printable(by)
    return OwnOp(name, name, _CALL, partials, OWN, (), None, forward, derivatives, by)


def computed(
    kind: type[Node],
    op: Op,
    data: float,
    operands: Sequence[Node],
    local: Sequence[float],
) -> Node:
    """Make a node of an operation of the program's own.

    Args:
        kind: the class of the node.
        op: its row, for as many operands.
        data: its number.
        operands: what it is computed from; at least one. Constants take no gradient.
        local: the derivative with respect to each operand.
    """
    node = object.__new__(kind)
    node._data = data
    node._grad = 0.0
    link(node, op, operands, local)
    node._stamp = tick()
    tape = active_tape()
    if tape is not None:
        tape.append(node)
    return node


def link(node: Node, op: Op, operands: Sequence[Node], local: Sequence[float]) -> None:
    """Make a node the result of an operation of the program's own."""
    node._operation = op
    node._first = operands[0]
    node._second = operands[1] if len(operands) == 2 else None
    if len(operands) > 2:
        node._others = tuple(operands[1:])
    node._locals = local
