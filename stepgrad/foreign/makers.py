"""By which operation, and from which operands, a new object was made.

Its class says little: a set of children without an order, perhaps a text. The method that made it
says more. `__mul__` multiplies its arguments, in this order, and a name such as `tanh` is believed
if the number is right. So `x * x` has two operands, and `x ** 3` has a constant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from ctypes import c_float
from types import CodeType
from typing import Any, NamedTuple

from stepgrad.engine.ops import BY_NAME, CONSTANT, LEAF, Op
from stepgrad.foreign.nodes import Shadow, as_float, same

_CLOSE = 1e-9
"""The relative error within which a formula gives what the class has computed.

Of `log(x + 1e-8)` and of other things that are nearly what a name says, the derivatives differ.
"""

_CLOSE_SINGLE = 1e-6
"""The same for a number in single precision."""

_NEAR = 1e-3
"""The same for what a class may compute on purpose, as `a / (b + 1e-8)` does for a division."""

_TABLE = {name: op for name, op in BY_NAME.items() if op.partials and op.stands_for is None}
_NAMED: dict[str, tuple[Op, bool]] = {name: (op, False) for name, op in _TABLE.items()}
_NAMED |= {
    other: (_TABLE[name], reflected)
    for other, name, reflected in (
        ("radd", "add", True), ("rsub", "sub", True), ("rmul", "mul", True),
        ("truediv", "div", False), ("rtruediv", "div", True), ("rpow", "pow", True),
        ("power", "pow", False), ("subtract", "sub", False), ("multiply", "mul", False),
        ("divide", "div", False), ("negate", "neg", False), ("ln", "log", False),
        ("logistic", "sigmoid", False), ("maximum", "max", False), ("minimum", "min", False),
        ("leakyrelu", "leaky_relu", False),
    )
}  # fmt: skip
_SIGNS = {"+": "add", "-": "sub", "−": "sub", "*": "mul", "·": "mul", "×": "mul", "/": "div"}
_SIGNS |= {"÷": "div", "**": "pow", "^": "pow"}


class Call(NamedTuple):
    """A call that made an object: of which function, and with which arguments.

    Objects of the class among the arguments are there as what stands in for them; of other things
    only those are there that a calculation may need.
    """

    code: CodeType
    arguments: Mapping[str, Any]
    names: Mapping[str, Any]
    cells: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The name of the function, without underscores.

        A class method of another class says no more than that class: `Sigmoid.apply` is a sigmoid.
        """
        first = next(iter(self.arguments.values()), None)
        if isinstance(first, type) and not hasattr(first, "__add__"):
            return first.__name__.lower()
        return self.code.co_name.strip("_<>")

    @property
    def operator(self) -> bool:
        """Whether it is what an operator calls."""
        return self.code.co_name.startswith("__") and self.name in _NAMED


Pick = int | str
"""Where an operand is found: which of the children it is, or which argument of the call."""


class Recipe(NamedTuple):
    """How objects are made at one place in the code.

    Args:
        op: a row of the op table; None for an operation that has none.
        picks: where each operand is found; None where this may change from one to the next.
        depth: which call to look at, counted from the innermost.
        certain: it needs no comparison with the number of each object.
        name: what an operation without a row is called.
    """

    op: Op | None
    picks: tuple[Pick, ...] | None
    depth: int = 0
    certain: bool = False
    name: str = ""

    @property
    def from_children(self) -> tuple[int, ...] | None:
        """Which children the operands are; None if arguments of calls are among them."""
        picks = [pick for pick in self.picks or () if isinstance(pick, int)]
        return None if self.picks is None or len(picks) < len(self.picks) else (*picks,)


def operation(name: str) -> tuple[Op, bool]:
    """Return what a function of this name computes, and whether its operands are turned round.

    It is `LEAF` if the name says nothing.
    """
    return _NAMED.get(name.strip("_").lower(), (LEAF, False))


def value_of(op: Op, operands: Sequence[Shadow | float]) -> float | None:
    """Return what an operation gives; None where it gives nothing."""
    try:
        numbers = [each if isinstance(each, float) else each._data for each in operands]
        return as_float(op.value(*numbers))
    except (ArithmeticError, ValueError, TypeError):
        return None


def gives(op: Op, operands: Sequence[Shadow | float], data: float) -> bool:
    """Whether an operation gives this number."""
    value = value_of(op, operands)
    if value is None or value == data:
        return value is not None
    return same(value, data, _CLOSE) or (_is_single(data) and same(value, data, _CLOSE_SINGLE))


def nearly(op: Op, operands: Sequence[Shadow | float], data: float) -> bool:
    """Whether an operation gives a number that is so near that the difference may be on purpose."""
    value = value_of(op, operands)
    return value is not None and same(value, data, _NEAR)


def _is_single(number: float) -> bool:
    return c_float(number).value == number


def resolve(
    data: float, kids: Sequence[Shadow], ordered: bool, label: str, calls: Sequence[Call]
) -> tuple[Recipe, list[Shadow | float]]:
    """Return how an object was made, and its operands.

    Args:
        data: its number.
        kids: the children that it was given.
        ordered: whether their order means something.
        label: the text that it has for its operation.
        calls: those that made it, from the innermost.
    """
    in_order = kids if ordered else ()
    believed = None
    for depth, call in enumerate(calls):
        op, reflected = operation(call.name)
        operands = _arguments(call, len(op.partials), kids) if op is not LEAF else None
        if operands is None:
            continue
        if reflected:
            operands.reverse()
        exact = call.operator and {*kids} == {e for e in operands if isinstance(e, Shadow)}
        recipe = Recipe(op, _picks(operands, in_order, call), depth, exact)
        if gives(op, operands, data):
            return recipe, operands
        if exact and believed is None and not nearly(op, operands, data):
            believed = recipe, operands
    if believed is None:
        believed = _labelled(data, kids, in_order, label, calls)
    return believed or _own(data, kids, ordered, label, calls)


def _picks(
    operands: Sequence[Shadow | float], kids: Sequence[Shadow], call: Call | None
) -> tuple[Pick, ...] | None:
    """Return where operands are: among the children if these have an order, or the arguments."""
    objects = [each for each in operands if isinstance(each, Shadow)]
    if len({*objects}) < len(objects):
        return None
    picks: list[Pick] = []
    for each in operands:
        if isinstance(each, Shadow) and each in kids:
            picks.append(kids.index(each))
            continue
        given = call.arguments if call else {}
        name = next((n for n, a in given.items() if a is each or as_float(a) == each), None)
        if name is None:
            return None
        picks.append(name)
    return tuple(picks)


def _arguments(call: Call, count: int, kids: Sequence[Shadow]) -> list[Shadow | float] | None:
    """Return the arguments as operands, if they are numbers and account for all children."""
    given = [*call.arguments.values()][:count]
    lifted = [each for each in kids if each._operation is CONSTANT and each not in given]
    operands: list[Shadow | float] = []
    for each in given:
        if isinstance(each, Shadow):
            operands.append(each)
            continue
        plain = as_float(each)
        if plain is None:
            return None
        same_number = next((kid for kid in lifted if kid._data == plain), None)
        operands.append(plain if same_number is None else same_number)
    accounted = len(operands) == count and {*kids} <= {*operands}
    return operands if accounted else None


def _labelled(
    data: float,
    kids: Sequence[Shadow],
    in_order: Sequence[Shadow],
    label: str,
    calls: Sequence[Call],
) -> tuple[Recipe, list[Shadow | float]] | None:
    """Go by what the class calls the operation, if this gives the number."""
    text = label.strip().lower()
    name = next((op for sign, op in _SIGNS.items() if text == sign), text.strip("_"))
    if text.startswith(("**", "^")):
        name = "pow"
    if name == "sub" and len(kids) == 1:
        name = "neg"
    op, reflected = _NAMED.get(name, (None, False))
    if op is None:
        return None
    tried: list[list[Shadow | float]] = [[*kids], [*reversed(kids)]]
    if len(op.partials) == len(kids) + 1:
        given = [as_float(each) for call in calls for each in call.arguments.values()]
        with suppress(ValueError):  # `**2`
            given.append(float(text.lstrip("*^")))
        tried = []
        for each in given:
            if each is not None:
                tried += [*kids, each], [each, *kids]
    if reflected:
        tried.reverse()
    for operands in tried:
        if len(operands) == len(op.partials) and gives(op, operands, data):
            return Recipe(op, _picks(operands, in_order, calls[0] if calls else None)), operands
    return None


def _own(
    data: float, kids: Sequence[Shadow], ordered: bool, label: str, calls: Sequence[Call]
) -> tuple[Recipe, list[Shadow | float]]:
    """Take it as an operation of the program's own, computed by the innermost call that can."""
    depth = next((i for i, call in enumerate(calls) if not passes_on(call, data)), 0)
    if not calls:
        name = label if label.isidentifier() else "f"
        return Recipe(None, None, 0, name=name), [*kids]
    call = calls[depth]
    given = [each for each in shadows(call.arguments.values()) if each in kids]
    operands = given if {*given} == {*kids} and len(given) >= len(kids) else [*kids]
    picks = (*range(len(kids)),) if ordered and operands == [*kids] else None
    return Recipe(None, picks, depth, name=call.name), [*operands]


def passes_on(call: Call, data: float) -> bool:
    """Whether a call is handed the number of the object that it makes."""
    numbers = [as_float(each) for each in call.arguments.values()]
    return any(each is not None and same(each, data) for each in numbers)


def shadows(arguments: Iterable[Any]) -> list[Shadow]:
    """Return what stands in for objects among some arguments, also in lists, in order."""
    found: list[Shadow] = []
    for each in arguments:
        if isinstance(each, Shadow):
            found.append(each)
        elif isinstance(each, list | tuple):
            found += shadows(each)
    return found


def is_operation(code: CodeType) -> bool:
    """Whether code has the name of an operation: `__mul__`, or `tanh`."""
    return code.co_name.strip("_").lower() in _NAMED


def is_operator(code: CodeType) -> bool:
    """Whether code is what an operator calls."""
    return code.co_name.startswith("__") and code.co_name.strip("_") in _NAMED


def is_in_place(code: CodeType) -> bool:
    """Whether code has the name of what `+=` or `*=` calls, for example."""
    return code.co_name.startswith("__i") and code.co_name.strip("_")[1:] in _NAMED
