"""Values that are made with their operands, as the constructors of other Value classes take them.

microgpt's is `Value(data, children, local_grads)`: the local derivatives are given with the number.
micrograd's is `Value(data, children, op)`: they follow from the `_backward` that it gets next
(`closure.py`).
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from types import CodeType
from typing import Any, TypeGuard

from stepgrad.engine.node import Node
from stepgrad.engine.own import NO_RULE, link, real, row


def connect(
    node: Node,
    children: object,
    local_grads: object,
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
    if not _holds(children):
        if local_grads is not None or label is not None:
            raise TypeError(f"children are several Values, not {children!r}")
        return children
    if isinstance(local_grads, str):
        name, local_grads = name or local_grads, None
    operands = _operands(children, lift, ordered=local_grads is not None)
    if not operands:
        return label
    if local_grads is None:
        locals_, by = [0.0] * len(operands), NO_RULE
    else:
        by = ""
        given = local_grads if _holds(local_grads) else ()
        locals_ = [
            each if type(each) is float else real(each, "each of local_grads") for each in given
        ]
    if len(locals_) != len(operands):
        raise ValueError(f"{len(operands)} children, but {len(locals_)} local_grads")
    link(node, row(str(name or _function()), len(operands), by=by), operands, locals_)
    return label


def _function() -> str:
    """Return the name of the function that makes a Value in order to return it; else `op`."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_name == "__init__":
        frame = frame.f_back
    return _returning(frame.f_code, frame.f_lasti)


@lru_cache(maxsize=1 << 12)
def _returning(code: CodeType, call: int) -> str:
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
