"""Operations that add or write elements at places that an index names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from stepgrad.engine import ops
from stepgrad.engine.ops import Op
from stepgrad.torch.cells import Cells
from stepgrad.torch.table.moving import check_scaled
from stepgrad.torch.table.rows import Rows
from stepgrad.torch.table.selecting import extremes

ROWS = Rows()
row = ROWS


def combined(a: Cells, op: Op, places: Tensor, parts: Cells) -> Cells:
    """Apply an operation to the elements at `places` and to parts, one after the other.

    Args:
        a: the elements.
        op: an operation of two operands.
        places: for each part, where it goes in the flat elements; places may recur.
        parts: what is combined with them.
    """
    places, parts, result = places.reshape(-1), parts.reshaped(-1), a.reshaped(-1)
    turn = turns(places)
    for at in range(int(turn.max()) + 1 if len(turn) else 0):
        now = turn == at
        result = result.replaced(places[now], result[places[now]].apply(op, parts[now]))
    return result.reshaped(*a.shape)


def turns(places: Tensor) -> Tensor:
    """Return for each part how many others go to the same place before it."""
    order = places.argsort(stable=True)
    ordered = places[order]
    turn = torch.empty_like(places)
    turn[order] = torch.arange(len(places)) - torch.searchsorted(ordered, ordered)
    return turn


def _flat(a: Cells) -> Tensor:
    return torch.arange(a.data.numel()).view(a.shape)


@row("scatter_add")
def scatter_add(a: Cells, dim: int, index: Tensor, source: Cells) -> Cells:
    if not a.ndim:
        return a + source
    part = tuple(map(slice, index.shape))
    return combined(a, ops.ADD, _places(a, dim, index), source[part])


def _places(a: Cells, dim: int, index: Tensor) -> Tensor:
    grid = [*torch.meshgrid(*map(torch.arange, index.shape), indexing="ij")]
    grid[dim] = index
    return _flat(a)[tuple(grid)]


@row("scatter")
def scatter(a: Cells, dim: int, index: Tensor, source: Cells | float, *, reduce: str = "") -> Cells:
    if reduce:
        op = {"add": ops.ADD, "multiply": ops.MUL}[reduce]
        source = a.made.cells(source).moved(lambda each: each.expand(index.shape))
        return combined(a, op, _places(a, dim, index), source[tuple(map(slice, index.shape))])
    source = a.made.cells(source)
    part = tuple(map(slice, index.shape))
    source = source[part] if source.ndim else source
    return (
        a.reshaped(-1)
        .replaced(_places(a, dim, index) if a.ndim else index * 0, source)
        .reshaped(*a.shape)
    )


_NEUTRAL = {"sum": 0.0, "mean": 0.0, "prod": 1.0, "amax": -math.inf, "amin": math.inf}
"""What an element is before the first part, where it does not take part itself."""


@row("scatter_reduce")
def scatter_reduce(
    a: Cells,
    dim: int,
    index: Tensor,
    source: Cells,
    reduce: str,
    *,
    include_self: bool = True,
    out: Tensor,
) -> Cells:
    places = _places(a, dim, index)
    start, parts = a, source[tuple(map(slice, index.shape))]
    if not include_self:
        start = a.reshaped(-1).replaced(places.reshape(-1), _NEUTRAL[reduce]).reshaped(*a.shape)
    if reduce in ("amax", "amin"):
        places, flat = places.reshape(-1), start.reshaped(-1)
        turn = turns(places)
        rows = 2 + int(turn.max()) if len(turn) else 1
        others = torch.full((rows, len(flat)), _NEUTRAL[reduce], dtype=torch.float64)
        column = a.made.cells(others).replaced(0, flat)
        column = column.replaced((turn + 1, places), parts.reshaped(-1))
        return extremes(column, 0, out=out.reshape(-1)).reshaped(*a.shape)
    op = ops.MUL if reduce == "prod" else ops.ADD
    result = combined(start, op, places, parts)
    if reduce != "mean":
        return result
    count = torch.full((a.data.numel(),), float(include_self), dtype=torch.float64)
    count.index_add_(0, places.reshape(-1), torch.ones(places.numel(), dtype=torch.float64))
    several = count.view(a.shape) > 1
    return result.replaced(several, result[several] / count.view(a.shape)[several])


@row("index_add")
def index_add(a: Cells, dim: int, index: Tensor, source: Cells, *, alpha: float = 1) -> Cells:
    if alpha != 1:
        source = source * alpha
    if not a.ndim:
        return combined(a.reshaped(1), ops.ADD, index * 0, source).reshaped()
    return combined(a, ops.ADD, _flat(a).index_select(dim, index), source)


@row("_embedding_bag", "_embedding_bag_forward_only")
def embedding_bag(
    weight: Cells,
    indices: Tensor,
    offsets: Tensor,
    by_frequency: bool = False,
    mode: int = 0,
    _sparse: bool = False,
    weights: Cells | None = None,
    last: bool = False,
    padding: int = -1,
    *,
    out: Sequence[Tensor],
) -> tuple[Cells]:
    check_scaled(by_frequency)
    sums = weight.made.cells(torch.zeros(out[0].shape, dtype=torch.float64))
    starts = offsets[:-1] if last else offsets
    bags = torch.searchsorted(starts, torch.arange(len(indices)), right=True) - 1
    counts = torch.zeros(len(starts), dtype=torch.int64)
    kept = indices != padding
    counts.index_add_(0, bags, kept.to(torch.int64))
    filled = counts > 0
    if mode == _MAX:
        largest = weight[out[3][filled], torch.arange(weight.shape[1])]
        return (sums.replaced(filled, largest),)
    rows = weight[indices[kept]]
    if weights is not None:
        rows = rows * weights.reshaped(-1, 1)[kept]
    bags = bags[kept]
    turn = turns(bags)
    for at in range(int(counts.max()) if len(counts) else 0):
        now = turn == at
        where = bags[now]
        sums = sums.replaced(where, sums[where] + rows[now] if at else rows[now])
    if mode == _MEAN:
        sums = sums.replaced(filled, sums[filled] / counts[filled].unsqueeze(1))
    return (sums,)


_MEAN, _MAX = 1, 2


@row("index_put", "_index_put_impl", "_unsafe_index_put")
def index_put(
    a: Cells,
    indices: Sequence[Tensor | None],
    values: Cells,
    accumulate: bool = False,
    _: Any = None,
) -> Cells:
    index = [*indices, *[None] * (a.ndim - len(indices))]
    places = torch.ops.aten.index(_flat(a), index)
    values = values.moved(lambda each: each.expand(places.shape))
    if accumulate:
        return combined(a, ops.ADD, places, values)
    return a.reshaped(-1).replaced(places, values).reshaped(*a.shape)


@row("put")
def put(a: Cells, index: Tensor, source: Cells, accumulate: bool = False) -> Cells:
    if accumulate:
        return combined(a, ops.ADD, index, source)
    return a.reshaped(-1).replaced(index, source.reshaped(*index.shape)).reshaped(*a.shape)


@row("col2im")
def col2im(
    a: Cells,
    size: Sequence[int],
    kernel: Sequence[int],
    dilation: Sequence[int],
    padding: Sequence[int],
    stride: Sequence[int],
) -> Cells:
    channels = a.shape[-2] // (kernel[0] * kernel[1])
    shape = *a.shape[:-2], channels, *size
    whole = a.made.cells(torch.zeros(shape, dtype=torch.float64))
    grid = (_flat(whole) + 1).reshape(-1, channels, *size).to(torch.float64)
    places = torch.ops.aten.im2col(grid, kernel, dilation, padding, stride).to(torch.int64) - 1
    places = places.reshape(-1)
    inside = places >= 0
    return combined(whole, ops.ADD, places[inside], a.reshaped(-1)[inside])
