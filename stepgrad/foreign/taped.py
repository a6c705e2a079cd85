"""What an object was computed from whose class keeps no operands: its rules are on a tape.

Then the call says it that computes the number. It may leave it to others to make the object, which
are handed the number; so are those that only lift one.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import CodeType, FunctionType

from stepgrad.engine.ops import LEAF
from stepgrad.foreign.makers import Call, nearly, operation, passes_on, shadows
from stepgrad.foreign.nodes import Shadow, as_float


def implied(data: float, calls: Sequence[Call], grad: str) -> Sequence[Shadow]:
    """Return what an object was computed from; nothing if its number was only lifted.

    Args:
        data: its number.
        calls: those that made it, from the innermost.
        grad: the attribute in which its class keeps gradients.
    """
    for depth, call in enumerate(calls):
        if not passes_on(call, data):
            operands = shadows(call.arguments.values())
            made = all(_makes(each, data, operands) for each in calls[:depth])
            return operands if made or _has_rule(call, data, grad) else ()
    return ()


def _makes(call: Call, data: float, operands: Sequence[Shadow]) -> bool:
    """Whether a call that is handed a number makes a result of it: it gets more than to lift it.

    That is a rule, or the operands and something beside one of them.
    """
    given = [*call.arguments.values(), *call.cells.values()]
    if any(isinstance(each, FunctionType) and each.__closure__ for each in given):
        return True
    handed = {*shadows(given)}
    other = [each for each in given if not isinstance(each, Shadow) and as_float(each) != data]
    return {*operands} <= handed and (len(handed) > 1 or bool(other))


def _has_rule(call: Call, data: float, grad: str) -> bool:
    """Whether a call defines a rule for what it computes, and this is its number."""
    op, reflected = operation(call.name)
    given = [
        each if isinstance(each, Shadow) else as_float(each) for each in call.arguments.values()
    ]
    operands = [each for each in given if each is not None]
    right = op is LEAF or nearly(op, operands[::-1] if reflected else operands, data)
    return right and grad in rules_in(call.code)


def rules_in(code: CodeType) -> set[str]:
    """Return the attributes that functions use which code defines for its arguments: its rules."""
    given = {*code.co_varnames[: code.co_argcount]}
    inner = [each for each in code.co_consts if isinstance(each, CodeType)]
    return {name for each in inner if given & {*each.co_freevars} for name in each.co_names}
