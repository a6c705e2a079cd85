"""A tensor of nodes (`Cells`): what the rows of the table compute with, as with a tensor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from stepgrad.engine import ops
from stepgrad.engine.ops import BY_NAME, Op

if TYPE_CHECKING:
    from stepgrad.torch.passes import Pass

NONE = -1
"""In place of the number of a node where there is none: a plain number."""

OTHER, SAMPLE = 1, 2
"""Kinds of numbers where one sample of a batch is followed: those of another, and of this one.

What depends on none is 0. Numbers of other samples have no nodes.
"""


class Cells:
    """Nodes in the shape of a tensor.

    Args:
        made: the forward pass that they are made in.
        ids: the number of each node (`passes.NEW`), or `NONE`; None if all are plain numbers. Those
            become constants where an operation uses them.
        data: their values, in float64.
        kinds: on which samples of a batch they depend (`SAMPLE`); None if on none.
    """

    __slots__ = ("data", "ids", "kinds", "made")

    def __init__(
        self, made: Pass, ids: Tensor | None, data: Tensor, kinds: Tensor | None = None
    ) -> None:
        self.made = made
        self.ids = ids
        self.data = data
        self.kinds = kinds

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

    # The same nodes in other places.

    def moved(self, move: Callable[[Tensor], Tensor]) -> Cells:
        """Return the same nodes in other places: `move` permutes, selects or repeats elements."""
        ids = None if self.ids is None else move(self.ids)
        kinds = None if self.kinds is None else move(self.kinds)
        return Cells(self.made, ids, move(self.data), kinds)

    def numbered(self) -> Cells:
        """Make its plain numbers constants, so that all that is moved from it shares them."""
        self.made.numbered(self, None if self.kinds is None else self.kinds != OTHER)
        return self

    def detached(self) -> Cells:
        """Return the values as plain numbers."""
        return Cells(self.made, None, self.data, self.kinds)

    def replaced(self, where: Any, by: Cells | Tensor | float) -> Cells:
        """Return these cells with others at some places: a mask, or what else an index may be."""
        by = self.made.cells(by)
        data = self.data.clone()
        data[where] = by.data
        kinds = self._kinds_with(where, by)
        if self.ids is None and by.ids is None:
            return Cells(self.made, None, data, kinds)
        ids = torch.full(self.shape, NONE) if self.ids is None else self.ids.clone()
        ids[where] = torch.tensor(NONE) if by.ids is None else by.ids
        return Cells(self.made, ids, data, kinds)

    def _kinds_with(self, where: Any, by: Cells) -> Tensor | None:
        if self.kinds is None and by.kinds is None:
            return None
        kinds = self.data.new_zeros(self.shape, dtype=torch.int8)
        if by.kinds is not None:
            kinds[where] = by.kinds
        return kinds if self.kinds is None else torch.maximum(kinds, self.kinds)

    def replaced_by(self, where: Tensor, rule: Callable[[Cells], Cells]) -> Cells:
        """Return these cells with what a rule makes of those that a mask selects."""
        return self.replaced(where, rule(self[where])) if where.any() else self

    def reshaped(self, *shape: int) -> Cells:
        """Return the same cells in another shape."""
        return self.moved(lambda each: each.reshape(shape))

    def turned(self, source: int, to: int) -> Cells:
        """Return the same cells with a dimension at another place."""
        return self.moved(lambda each: each.movedim(source, to))

    def __getitem__(self, key: Any) -> Cells:
        return self.moved(lambda each: each[key])

    # New nodes.

    def apply(self, op: Op | str, *others: Cells | Tensor | float) -> Cells:
        """Make a node of an operation for each element; operands broadcast."""
        op = BY_NAME[op] if isinstance(op, str) else op
        return self.made.make(op, [self, *map(self.made.cells, others)])

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

    def __rpow__(self, other: Tensor | float) -> Cells:
        return self.made.cells(other) ** self

    def __neg__(self) -> Cells:
        return self.apply(ops.NEG)

    def total(self, dims: Sequence[int] | int | None = None, keepdim: bool = False) -> Cells:
        """Add up over some dimensions, or all: along the last of them first."""
        return self.folded(ops.ADD, dims, keepdim)

    def folded(
        self, op: Op, dims: Sequence[int] | int | None = None, keepdim: bool = False
    ) -> Cells:
        """Reduce over some dimensions, or all, with an operation of two operands."""
        result = self
        folding = dimensions(self.ndim, dims)
        for dim in reversed(folding):
            parts = result.turned(dim, 0)
            if not len(parts):
                start = torch.full(parts.shape[1:], 1.0 if op is ops.MUL else 0.0)
                result = self.made.cells(start)
            else:
                result = _chained(op, parts)
        whole = [1 if dim in folding else size for dim, size in enumerate(self.shape)]
        return result.reshaped(*whole) if keepdim else result

    def count(self, dims: Sequence[int] | int | None = None) -> int:
        """Return how many elements are reduced to one over some dimensions, or all."""
        sizes = [self.shape[dim] for dim in dimensions(self.ndim, dims)]
        return int(torch.tensor(sizes, dtype=torch.int64).prod())


_LONGEST = 1000
"""The most parts that are reduced one after the other, in as many batches."""


def _chained(op: Op, parts: Cells) -> Cells:
    """Reduce parts, one after the other; of many, first each with its neighbour."""
    left: list[Cells] = []
    while len(parts) > _LONGEST:
        if len(parts) % 2:
            left.append(parts[-1])
        even = len(parts) // 2 * 2
        parts = parts[0:even:2].apply(op, parts[1:even:2])
    result = parts[0]
    for each in (*(parts[at] for at in range(1, len(parts))), *reversed(left)):
        result = result.apply(op, each)
    return result


def dimensions(ndim: int, dims: Sequence[int] | int | None) -> list[int]:
    """Return which dimensions are meant, in order; all if none is named."""
    if isinstance(dims, int):
        dims = [dims]
    return sorted(dim % ndim for dim in dims) if dims and ndim else [*range(ndim)]
