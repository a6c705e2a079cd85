"""What the operations of the table are tried with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor


class Operation(NamedTuple):
    """A function of tensors, and what it gets: the shape of each, or the tensor."""

    name: str
    run: Callable[..., Any]
    inputs: Sequence[Any]


Tried: TypeAlias = dict[str, tuple[Callable[..., Any], Sequence[Any]]]
"""Functions, and the inputs that each gets."""


def made(*inputs: Any, seed: int = 0) -> list[Tensor]:
    """Return leaves in these shapes, of random numbers."""
    generator = torch.Generator().manual_seed(seed)
    leaves = []
    for each in inputs:
        if isinstance(each, Tensor):
            leaves.append(each.clone().requires_grad_())
        else:
            numbers = torch.randn(each, generator=generator, dtype=torch.float64)
            leaves.append(numbers.requires_grad_())
    return leaves


def f64(numbers: Any) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


def apart(*shape: int) -> Tensor:
    """Return a tensor that is not contiguous."""
    numbers = torch.randn(
        *shape, 2, generator=torch.Generator().manual_seed(5), dtype=torch.float64
    )
    return numbers.movedim(-1, 0)[1]


INDEX = torch.tensor([[0, 1, 1], [2, 0, 0]])
MASK = torch.tensor([[True, False, True], [True, True, False], [False, False, False]])
BATCH = 2, 3, 4
IMAGE = 2, 4, 5, 6
