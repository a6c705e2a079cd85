"""A tensor of nodes (`Cells`): what the rows of the table compute with, as with a tensor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from stepgrad.engine import ops
from stepgrad.engine.ops import Op

if TYPE_CHECKING:
    from stepgrad.torch.passes import Pass

Operand = "Cells | Tensor | float"


class Cells:
    """Nodes in the shape of a tensor.

    Args:
        made: the forward pass that they are made in.
        ids: the number of each node (`passes.NEW`); None of plain numbers, which become constants
            where an operation uses them.
        data: their values, in float64.
    """

    __slots__ = ("data", "ids", "made")

    def __init__(self, made: Pass, ids: Tensor | None, data: Tensor) -> None:
        self.made = made
        self.ids = ids
        self.data = data

    @property
    def shape(self) -> torch.Size:
        """The shape of the tensor."""
        return self.data.shape

    @property
    def ndim(self) -> int:
        """How many dimensions it has."""
        return self.data.ndim

    def __len__(self) -> int:
        return len(self.data)

    def apply(self, op: Op, *others: Cells | Tensor | float) -> Cells:
        """Make a node of an operation for each element; operands broadcast."""
        return self.made.make(op, [self, *map(self.made.cells, others)])

    def moved(self, move: Callable[[Tensor], Tensor]) -> Cells:
        """Return the same nodes in other places: `move` permutes, selects or repeats elements."""
        ids = None if self.ids is None else move(self.ids)
        return Cells(self.made, ids, move(self.data))

    def detached(self) -> Cells:
        """Return the values as plain numbers."""
        return Cells(self.made, None, self.data)

    def __getitem__(self, key: object) -> Cells:
        return self.moved(lambda each: each[key])

    def __add__(self, other: Cells | Tensor | float) -> Cells:
        return self.apply(ops.ADD, other)

    def __radd__(self, other: Tensor | float) -> Cells:
        return self.made.cells(other) + self

    def __sub__(self, other: Cells | Tensor | float) -> Cells:
        return self.apply(ops.SUB, other)

    def __rsub__(self, other: Tensor | float) -> Cells:
        return self.made.cells(other) - self

    def __mul__(self, other: Cells | Tensor | float) -> Cells:
        return self.apply(ops.MUL, other)

    def __rmul__(self, other: Tensor | float) -> Cells:
        return self.made.cells(other) * self

    def __truediv__(self, other: Cells | Tensor | float) -> Cells:
        return self.apply(ops.DIV, other)

    def __rtruediv__(self, other: Tensor | float) -> Cells:
        return self.made.cells(other) / self

    def __pow__(self, other: Cells | Tensor | float) -> Cells:
        return self.apply(ops.POW, other)

    def __neg__(self) -> Cells:
        return self.apply(ops.NEG)

    def total(self, dims: Sequence[int] | None = None, *, keepdim: bool = False) -> Cells:
        """Add up over some dimensions, or all, from the first element to the last."""
        return self.folded(ops.ADD, dims, keepdim=keepdim)

    def folded(self, op: Op, dims: Sequence[int] | None = None, *, keepdim: bool = False) -> Cells:
        """Reduce over some dimensions, or all, with an operation of two operands."""
        dims = range(self.ndim) if not dims else [dim % self.ndim for dim in dims]
        rest = [dim for dim in range(self.ndim) if dim not in dims]
        kept = [self.shape[dim] for dim in rest]
        flat = self.moved(lambda each: each.permute(*rest, *dims).reshape(*kept, -1))
        steps = flat.shape[-1]
        if steps == 0:
            result = self.made.cells(torch.zeros(kept, dtype=torch.float64))
        else:
            result = flat[..., 0]
        for step in range(1, steps):
            result = result.apply(op, flat[..., step])
        if not keepdim:
            return result
        whole = [1 if dim in dims else size for dim, size in enumerate(self.shape)]
        return result.moved(lambda each: each.reshape(whole))
