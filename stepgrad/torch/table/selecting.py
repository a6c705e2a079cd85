"""Operations that select elements by their size: their results are the elements themselves."""

from __future__ import annotations

from typing import Any, TypeAlias

import torch
from torch import Tensor

from stepgrad.engine import ops
from stepgrad.torch.cells import Cells, dimensions
from stepgrad.torch.table.rows import Rows

ROWS = Rows()
row = ROWS
Bound: TypeAlias = Cells | Tensor | float | None


@row("maximum")
def maximum(a: Cells, b: Cells) -> Cells:
    return a.apply(ops.MAX, b)


@row("minimum")
def minimum(a: Cells, b: Cells) -> Cells:
    return a.apply(ops.MIN, b)


@row("fmax")
def fmax(a: Cells, b: Cells) -> Cells:
    return _chosen((a.data >= b.data) | b.data.isnan(), a, b)


@row("fmin")
def fmin(a: Cells, b: Cells) -> Cells:
    return _chosen((a.data <= b.data) | b.data.isnan(), a, b)


@row("clamp", "clip")
def clamp(a: Cells, low: Bound = None, high: Bound = None, *, out: Tensor) -> Cells:
    """Keep what is within the bounds, which are themselves within."""
    result = a
    if low is not None:
        bound = a.made.cells(low)
        result = _chosen(~(a.data < bound.data), result, bound)
    if high is not None:
        bound = a.made.cells(high)
        under = ~(result.data > bound.data)
        result = _chosen(under, result, bound)
    return result


@row("clamp_min")
def clamp_min(a: Cells, low: Bound, *, out: Tensor) -> Cells:
    return clamp(a, low, None, out=out)


@row("clamp_max")
def clamp_max(a: Cells, high: Bound, *, out: Tensor) -> Cells:
    return clamp(a, None, high, out=out)


def _chosen(where: Tensor, a: Cells, b: Cells) -> Cells:
    shape = torch.broadcast_shapes(where.shape, a.shape, b.shape)
    a, b = (each.moved(lambda each: each.expand(shape)) for each in (a, b))
    other = ~where.expand(shape)
    return a.replaced(other, b[other])


@row("nan_to_num")
def nan_to_num(
    a: Cells,
    nan: float | None = None,
    high: float | None = None,
    low: float | None = None,
    *,
    out: Tensor,
) -> Cells:
    strange = ~a.data.isfinite()
    return a.replaced(strange, out[strange].to(torch.float64))


# One element for each row.


@row("max", "min")
def extreme(
    a: Cells, dim: int | None = None, keepdim: bool = False, *, out: Any
) -> Cells | tuple[Cells, None]:
    if dim is None:
        return _shared(a, out, None, keepdim=False)
    return _at(a, dim, keepdim, out[1]), None


@row("median", "nanmedian")
def median(
    a: Cells, dim: int | None = None, keepdim: bool = False, *, out: Any
) -> Cells | tuple[Cells, None]:
    return extreme(a, dim, keepdim, out=out)


@row("mode")
def mode(a: Cells, dim: int = -1, keepdim: bool = False, *, out: Any) -> tuple[Cells, None]:
    return _at(a, dim, keepdim, out[1]), None


@row("kthvalue")
def kthvalue(
    a: Cells, _k: int, dim: int = -1, keepdim: bool = False, *, out: Any
) -> tuple[Cells, None]:
    return _at(a, dim, keepdim, out[1]), None


def _at(a: Cells, dim: int, keepdim: bool, indices: Tensor) -> Cells:
    if not a.ndim:
        return a
    if keepdim:
        return a.moved(lambda each: each.gather(dim, indices))
    return a.moved(lambda each: each.gather(dim, indices.unsqueeze(dim)).squeeze(dim))


@row("amax", "amin")
def extremes(a: Cells, dim: Any = (), keepdim: bool = False, *, out: Tensor) -> Cells:
    return _shared(a, out, dim, keepdim=keepdim)


def _shared(a: Cells, out: Tensor, dims: Any, *, keepdim: bool) -> Cells:
    """Select the elements that are equal to a result; several of them share it evenly."""
    over = dimensions(a.ndim, dims)
    whole = [1 if dim in over else size for dim, size in enumerate(a.shape)]
    largest = out.to(torch.float64).reshape(whole)
    equal = (a.data == largest) | (a.data.isnan() & largest.isnan())
    rest = [dim for dim in range(a.ndim) if dim not in over]
    kept = [a.shape[dim] for dim in rest]

    def lined(each: Tensor) -> Tensor:
        return each.permute([*rest, *over]).reshape([*kept, -1])

    rows, equal = a.moved(lined), lined(equal)
    order = equal.to(torch.int8).argsort(dim=-1, descending=True, stable=True)
    count = equal.sum(-1)
    ordered = rows.moved(lambda each: each.gather(-1, order))
    result = ordered[..., 0]
    for ties in count.unique().tolist():
        here = count == ties
        if ties > 1:
            result = result.replaced(here, ordered[here][:, :ties].total(-1) / ties)
    return result.reshaped(*whole) if keepdim else result


# Several, in order.


@row("sort")
def sort(a: Cells, dim: Any = -1, descending: bool = False, *, stable: Any = None, out: Any) -> Any:
    dim = dim if isinstance(dim, int) else -1
    return _ordered(a, dim, out[1]), None


@row("topk")
def topk(a: Cells, _k: int, dim: int = -1, *_: bool, out: Any) -> tuple[Cells, None]:
    return _ordered(a, dim, out[1]), None


@row("cummax", "cummin")
def cumulative(a: Cells, dim: int, *, out: Any) -> tuple[Cells, None]:
    return _ordered(a, dim, out[1]), None


def _ordered(a: Cells, dim: int, indices: Tensor) -> Cells:
    if not a.ndim:
        return a
    return a.moved(lambda each: each.gather(dim, indices))
