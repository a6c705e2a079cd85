"""The rows of the op table, for tensors: the same formulas, applied to each element.

Everything is computed in float64, whatever the program computes in.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor

from stepgrad.engine.ops import Op


def _where(test: Tensor, one: Any, other: Any) -> Tensor:
    return torch.where(test, _column(one), _column(other))


def _column(number: Any) -> Tensor:
    return torch.as_tensor(number, dtype=torch.float64)


def _softplus(a: Tensor) -> Tensor:
    return torch.logaddexp(a, torch.zeros((), dtype=torch.float64))


_NAMES = "abs atan cos cosh div erf exp expm1 log log1p pow sin sinh sqrt tanh"
_FUNCTIONS: Mapping[str, object] = {
    **{name: getattr(torch, name) for name in _NAMES.split()},
    "div": lambda a, b: torch.div(_column(a), _column(b)),
    "sqrt": lambda a: torch.sqrt(_column(a)),
    "softplus": _softplus,
    "where": _where,
    "either": torch.logical_or,
    "both": torch.logical_and,
    "π": math.pi,
}


@cache
def value(op: Op) -> Callable[..., Tensor]:
    """Return what computes the values of an operation from tensors of its operands."""
    return op.forward.columnwise(_FUNCTIONS, op.operands)


@cache
def carry(op: Op) -> Sequence[Callable[..., Tensor]]:
    """Return what each operand receives: a function of the operands, `out` and `upstream`.

    That is upstream × local, or 0 where a gate is shut.
    """
    parameters = (*op.operands, "out", "upstream")
    return [each.carried().columnwise(_FUNCTIONS, parameters) for each in op.partials]
