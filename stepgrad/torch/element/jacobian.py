"""How the results of one operation depend on one element of one argument (`column`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from stepgrad.torch.element.step import Operation


def column(operation: Operation, operand: Tensor, element: int) -> Sequence[Tensor]:
    """Return ∂out/∂(the element), for each result of an operation; 0 where nothing depends on it.

    By a forward derivative along a one-hot tangent; where an operation has none, its backward
    derivative is differentiated by what arrives, in which it is linear.
    """
    onehot = torch.zeros(operand.numel(), dtype=operand.dtype)
    onehot[element] = 1
    onehot = onehot.view(operand.shape)
    with torch.enable_grad():
        try:
            _, found = torch.func.jvp(_function(operation, operand), (operand.detach(),), (onehot,))
        except (NotImplementedError, RuntimeError):
            found = _by_backward(operation, operand, onehot)
    mask = _touched(operation, onehot)
    # One-hot rows make 0·∞: a pointwise result elsewhere does not depend on the element.
    return [each if mask is None else torch.where(mask, each, 0) for each in found]


def viewed(operation: Operation, operand: Tensor, element: int) -> Iterator[tuple[Tensor, int]]:
    """Yield where an element of an argument is seen in the results of a view."""
    numbers = torch.arange(operand.numel()).view(operand.shape)
    for out, seen in zip(operation.outs, _function(operation, operand)(numbers), strict=True):
        if out.requires_grad:
            for index in (seen.reshape(-1) == element).nonzero().reshape(-1).tolist():
                yield out, index


def _function(operation: Operation, operand: Tensor) -> Any:
    def run(value: Tensor) -> tuple[Tensor, ...]:
        def put(each: Any) -> Any:
            if each is operand:
                return value
            return each.detach() if isinstance(each, Tensor) else each

        args, kwargs = tree_map(put, operation.args), tree_map(put, dict(operation.kwargs))
        out = operation.func(*args, **kwargs)
        outs = out if isinstance(out, (tuple, list)) else [out]
        return tuple(each for each in outs if isinstance(each, Tensor))

    return run


def _by_backward(operation: Operation, operand: Tensor, onehot: Tensor) -> Sequence[Tensor]:
    value = operand.detach().clone().requires_grad_()
    found = []
    for number, each in enumerate(operation.outs):
        if not each.is_floating_point():
            found.append(torch.zeros_like(each))
            continue
        out = _function(operation, operand)(value)[number]
        arriving = torch.zeros_like(out, requires_grad=True)
        (handed,) = torch.autograd.grad(out, value, arriving, create_graph=True, allow_unused=True)
        if handed is None or not handed.requires_grad:
            found.append(torch.zeros_like(out))
        else:
            (row,) = torch.autograd.grad(handed, arriving, onehot)
            found.append(row)
    return found


def _touched(operation: Operation, onehot: Tensor) -> Tensor | None:
    """Return which results of a pointwise operation are of this element; None of other ones."""
    if torch.Tag.pointwise not in operation.func.tags or len(operation.outs) != 1:
        return None
    return onehot.bool().expand(operation.outs[0].shape)
