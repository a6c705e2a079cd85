"""Arithmetic with more digits: the formulas of the op table in mpmath, which is an extra."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from stepgrad.engine.ops import Op
from stepgrad.errors import StepgradError

_GUARD = 8  # digits that rounding may take from numbers with more digits


class Arithmetic:
    """Operations and their derivatives on numbers with more digits.

    As in `engine.ieee`, nothing raises: the logarithm of 0 is −inf, and that of −1 is nan.

    Raises:
        StepgradError: mpmath is not installed; says how to get it.
    """

    def __init__(self, digits: int) -> None:
        try:
            import mpmath  # noqa: PLC0415 - an extra
        except ImportError:
            raise StepgradError(
                "more digits need mpmath, which is not installed: pip install 'stepgrad[precision]'"
            ) from None
        self._context = context = mpmath.mp.clone()
        context.dps = digits
        self._least = context.mpf(10) ** (_GUARD - digits)
        self.number: Callable[[float], Any] = context.mpf
        names = ("atan", "cos", "cosh", "erf", "exp", "expm1", "sin", "sinh", "tanh")
        self._functions: Mapping[str, object] = {
            **{name: getattr(context, name) for name in names},
            "abs": abs,
            "div": self._div,
            "log": self._log,
            "log1p": lambda a: context.log1p(a) if a > -1 else self._log(1 + a),
            "number": context.mpf,
            "pow": self._pow,
            "softplus": lambda a: context.log1p(context.exp(a)),
            "sqrt": lambda a: context.sqrt(a) if a >= 0 else context.nan,
            "π": context.pi,
        }
        self._compiled = cache(self._compile)

    def settled(self, total: Any, size: Any) -> Any:
        """A sum, or 0 where its parts, of this size, cancel but for the last of all digits."""
        return self.number(0.0) if abs(total) < abs(size) * self._least else total

    def value(self, op: Op, inputs: Sequence[Any]) -> Any:
        """What an operation makes of its operands."""
        return self._compiled(op, None)(*inputs)

    def carry(self, op: Op, slot: int, inputs: Sequence[Any]) -> Any:
        """What an operand receives, of the operands, the result and the upstream gradient."""
        return self._compiled(op, slot)(*inputs)

    def _compile(self, op: Op, slot: int | None) -> Callable[..., Any]:
        if slot is None:
            return op.forward.continued(self._functions, op.operands)
        parameters = (*op.operands, "out", "upstream")
        return op.partials[slot].carried().continued(self._functions, parameters)

    def _div(self, a: Any, b: Any) -> Any:
        if b:
            return a / b
        return self._context.sign(a) * self._context.inf if a else self._context.nan

    def _log(self, a: Any) -> Any:
        if a == 0:
            return -self._context.inf
        return self._context.log(a) if a > 0 else self._context.nan

    def _pow(self, a: Any, b: Any) -> Any:
        if a < 0 and not self._context.isint(b):
            return self._context.nan
        return self._context.inf if a == 0 and b < 0 else a**b
