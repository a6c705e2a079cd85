"""Values that are made with their operands, as the constructors of other Value classes take them.

microgpt's is `Value(data, children, local_grads)`: the local derivatives are given with the number.
micrograd's is `Value(data, children, op)`: they follow from the `_backward` that it gets next
(`closure.py`).
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from types import CodeType, FrameType
from typing import Any, TypeGuard

from stepgrad.engine.node import Node
from stepgrad.engine.own import NO_RULE, OwnOp, link, real, row


def connect(
    node: Node,
    children: Any,
    local_grads: Any,
    names: tuple[object, object],
    lift: Callable[[object], Any],
) -> object:
    """Make a new node the result of its children, if it is given some; return its label, if any.

    Args:
        node: has no operation yet.
        children: what it is computed from; or, if that does not hold operands, its label.
        local_grads: the derivative with respect to each; without them, nothing passes back. A text
            is the name of the operation, which comes in this place in micrograd.
        names: what the operation is called, and the label; either may be None. An operation
            without a name is called like the function that returns its result.
        lift: makes a constant of a plain number.

    Raises:
        TypeError: these are no operands, or no derivatives.
        ValueError: there are not as many derivatives as operands.
    """
    name, label = names
    operands, locals_, by = children, local_grads, ""
    if not _only(type(node), children):
        if not _holds(children):
            if local_grads is not None or label is not None:
                raise TypeError(f"children are several Values, not {children!r}")
            return children
        ordered = local_grads is not None and not isinstance(local_grads, str)
        operands = _operands(children, lift, ordered=ordered)
    if not operands:
        return label
    count = len(operands)
    if not _only(float, local_grads):
        if local_grads is None or isinstance(local_grads, str):
            name, by = name or local_grads, NO_RULE
            locals_ = (0.0,) * count
        else:
            given = local_grads if _holds(local_grads) else ()
            locals_ = [
                each if type(each) is float else real(each, "each of local_grads") for each in given
            ]
    if len(locals_) != count:
        raise ValueError(f"{count} children, but {len(locals_)} local_grads")
    op = row(str(name), count, None, None, by) if name else _unnamed(sys._getframe(2), count, by)
    link(node, op, operands, locals_)
    return label


def _only(kind: type, things: object) -> bool:
    """Whether these are a tuple of nothing but this class, as most are: no more is to be asked."""
    if type(things) is not tuple:
        return False
    for each in things:  # noqa: SIM110 - `all` takes three times as long
        if type(each) is not kind:
            return False
    return True


def _unnamed(frame: FrameType, arity: int, by: str) -> OwnOp:
    """Return the row of an operation without a name, by the frame that makes a Value of it."""
    while (known := _rows.get((id(frame.f_code), frame.f_lasti, arity, by))) is None:
        code, call, outer = frame.f_code, frame.f_lasti, frame.f_back
        if code.co_name != "__init__" or outer is None:
            if len(_rows) >= _MOST_KNOWN:
                _rows.clear()
            op = row(_function(code, call), arity, None, None, by)
            known = _rows[id(code), call, arity, by] = op, code
            break
        frame = outer
    return known[0]


_rows: dict[tuple[int, int, int, str], tuple[OwnOp, CodeType]] = {}
"""Rows by the `id` of a code, as its hash takes longer. The code is kept, so that none follows."""

_MOST_KNOWN = 1 << 12


def _function(code: CodeType, call: int) -> str:
    """Return the name of a function if it returns what a call gives, maybe from a variable."""
    if code.co_name.startswith("<"):  # a module, a lambda, a comprehension
        return _UNNAMED
    instructions = [each for each in dis.get_instructions(code) if each.opname != "CACHE"]
    after = next(each for each in instructions if each.offset > call)
    returned = {
        _variable(before)
        for before, then in pairwise(instructions)
        if then.opname == "RETURN_VALUE" and "LOAD" in before.opname
    }
    if after.opname == "RETURN_VALUE" or ("STORE" in after.opname and _variable(after) in returned):
        return code.co_name.strip("_") or _UNNAMED
    return _UNNAMED


def _variable(instruction: dis.Instruction) -> object:
    """Return the variable of an instruction; the first of two, which newer versions have."""
    found = instruction.argval
    return found[0] if isinstance(found, tuple) else found


_UNNAMED = "op"


def _holds(thing: object) -> TypeGuard[Iterable[Any]]:
    """Whether an argument holds operands or derivatives: others are texts, or one number."""
    if type(thing) is tuple:  # as most are; asking for an `Iterable` takes ten times as long
        return True
    return isinstance(thing, Iterable) and not isinstance(thing, (str, Node))


def _operands(
    children: Iterable[object], lift: Callable[[object], Any], *, ordered: bool
) -> Sequence[Node]:
    if type(children) is not tuple and isinstance(children, (set, frozenset)):  # micrograd's
        if ordered:
            raise TypeError("children in a set have no order, and local_grads need one")
        children = sorted(children, key=lambda each: getattr(each, "_stamp", -1))
    operands = []
    for child in children:
        operand = lift(child)
        if operand is NotImplemented:
            raise TypeError(f"children are Values and numbers, not {type(child).__name__}")
        operands.append(operand)
    return operands


def check_label(label: object) -> None:
    """Refuse what was meant as operands."""
    if not isinstance(label, str) and isinstance(label, (Node, Iterable)):
        raise TypeError(
            f"a label is text, not {type(label).__name__}: operands come from operations, "
            'as in `a * b`; to name a Value, write `label="a"`'
        )
