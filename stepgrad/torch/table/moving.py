"""Operations that move elements and compute nothing: the same nodes in other places.

Most of them are PyTorch's own, applied to node numbers. Views need no row: the numbers stand beside
storages.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_map

from stepgrad.torch.cells import NONE, Cells
from stepgrad.torch.table.rows import Row, Rows

ROWS = Rows()
row = ROWS

_MOVING = """
    _reshape_copy _unsafe_view cat channel_shuffle diag_embed diagonal_copy
    diagonal_scatter expand_copy flip gather im2col index index_copy index_select lift_fresh
    masked_scatter masked_select max_unpool2d max_unpool3d native_channel_shuffle permute_copy
    pixel_shuffle pixel_unshuffle reflection_pad1d reflection_pad2d reflection_pad3d repeat
    replication_pad1d replication_pad2d replication_pad3d roll rot90 select_copy select_scatter
    slice_copy slice_scatter split_copy split_with_sizes_copy squeeze_copy stack t_copy take
    transpose_copy tril triu unbind_copy unfold_copy unsafe_split unsafe_split_with_sizes
    unsqueeze_copy upsample_nearest1d upsample_nearest2d upsample_nearest3d
    _upsample_nearest_exact1d _upsample_nearest_exact2d _upsample_nearest_exact3d view_copy where
"""

_FILLING = {"masked_fill": 2, "index_fill": 3, "constant_pad_nd": 2, "scatter": 3}
"""Operations that write a value between the elements, and which argument that is."""


def _numbers(argument: Any) -> Any:
    """Put node numbers in place of cells, plus 1: what an operation fills with 0 has no node."""

    def numbers(part: Any) -> Any:
        if not isinstance(part, Cells):
            return part
        if part.ids is None:
            return torch.zeros_like(part.data)
        return (part.ids + 1).to(torch.float64)  # exact, and taken by all operations

    return tree_map(numbers, argument)


def _kinds(argument: Any) -> Any:
    """Put the kinds of numbers in place of cells."""

    def kinds(part: Any) -> Any:
        if not isinstance(part, Cells):
            return part
        found = torch.zeros_like(part.data) if part.kinds is None else part.kinds
        return found.to(torch.float64)

    return tree_map(kinds, argument)


def _has_kinds(part: Cells) -> bool:
    return part.kinds is not None


def _values(argument: Any) -> Any:
    return tree_map(lambda part: part.data if isinstance(part, Cells) else part, argument)


def _moving(name: str, filled: int | None = None) -> Row:
    operation = getattr(torch.ops.aten, name)

    @row(name)
    def moving(*args: Any, **kwargs: Any) -> Any:
        parts = [each for each in tree_flatten((args, kwargs))[0] if isinstance(each, Cells)]
        data = operation(*_values(args), **_values(kwargs))
        if filled is not None and len(args) > filled and not isinstance(args[filled], Cells):
            args = *args[:filled], _blank(args[filled]), *args[filled + 1 :]
        numbers = operation(*_numbers(args), **_numbers(kwargs))

        kinds = operation(*_kinds(args), **_kinds(kwargs)) if any(map(_has_kinds, parts)) else None

        def cells(numbers: Tensor, data: Tensor, kinds: Tensor | None) -> Cells:
            kinds = None if kinds is None else kinds.to(torch.int8)
            return Cells(parts[0].made, numbers.to(torch.int64) + NONE, data, kinds)

        if isinstance(data, Tensor):
            return cells(numbers, data, kinds)
        return tuple(map(cells, numbers, data, kinds or [None] * len(data)))

    return moving


def _blank(value: Tensor | float) -> Tensor | float:
    return torch.zeros_like(value) if isinstance(value, Tensor) else 0


for _name in _MOVING.split():
    if hasattr(torch.ops.aten, _name):
        _moving(_name)
for _name, _filled in _FILLING.items():
    _moving(_name, _filled)


@row("clone", "_to_copy", "contiguous", "lift", "_pin_memory")
def same(a: Cells, **_: Any) -> Cells:
    return a


@row("copy")
def copy(a: Cells, b: Cells, _blocks: bool = False) -> Cells:
    return b.moved(lambda each: each.expand(a.shape))


@row("fill")
def fill(a: Cells, value: Cells | float) -> Cells:
    return copy(a, a.made.cells(value))


def check_scaled(by_frequency: bool) -> None:
    """Make sure that what comes back to the rows of an embedding is the derivative.

    Raises:
        NotImplementedError: it is divided by how often the batch has each row.
    """
    if by_frequency:
        raise NotImplementedError(
            "with scale_grad_by_freq=True, its gradient is not the derivative"
        )


@row("embedding")
def embedding(
    weight: Cells,
    indices: Tensor,
    padding: int = -1,
    by_frequency: bool = False,
    _sparse: bool = False,
) -> Cells:
    check_scaled(by_frequency)
    rows = weight[indices]
    return rows if padding < 0 else rows.replaced(indices == padding, weight.data[padding])


@row("native_dropout")
def dropout(
    a: Cells, p: float, train: bool | None, *, out: tuple[Tensor, Tensor]
) -> tuple[Cells, None]:
    if train is False:
        return a, None
    scale = 0.0 if p == 1 else 1 / (1 - p)
    return a * (out[1].to(torch.float64) * scale), None
