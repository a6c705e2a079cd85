"""Operations that reduce over dimensions: sums, means, variances, norms, and running sums."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor

from stepgrad.engine import ops
from stepgrad.engine.ops import Op
from stepgrad.torch.cells import Cells, dimensions
from stepgrad.torch.table.activations import shifted
from stepgrad.torch.table.rows import Rows
from stepgrad.torch.table.selecting import extremes

ROWS = Rows()
row = ROWS
Dims: TypeAlias = Sequence[int] | int | None


@row("sum")
def total(a: Cells, dims: Dims = None, keepdim: bool = False, **_: Any) -> Cells:
    return a.total(dims, keepdim)


@row("mean")
def mean(a: Cells, dims: Dims = None, keepdim: bool = False, **_: Any) -> Cells:
    return a.total(dims, keepdim) / a.count(dims)


@row("nansum")
def nansum(a: Cells, dims: Dims = None, keepdim: bool = False, **_: Any) -> Cells:
    return a.replaced(a.data.isnan(), 0).total(dims, keepdim)


@row("prod")
def prod(a: Cells, dims: Dims = None, keepdim: bool = False, **_: Any) -> Cells:
    return a.folded(ops.MUL, dims, keepdim)


def variance(a: Cells, dims: Dims, correction: float, keepdim: bool) -> tuple[Cells, Cells]:
    """Return the variance over some dimensions, and the mean."""
    centre = mean(a, dims, True)
    off = a - centre
    spread = (off * off).total(dims, keepdim) / max(0.0, a.count(dims) - correction)
    return spread, centre if keepdim else centre.reshaped(*spread.shape)


@row("var")
def var(a: Cells, dims: Dims = None, *, correction: float = 1, keepdim: bool = False) -> Cells:
    return variance(a, dims, correction, keepdim)[0]


@row("std")
def std(a: Cells, dims: Dims = None, *, correction: float = 1, keepdim: bool = False) -> Cells:
    return root(var(a, dims, correction=correction, keepdim=keepdim))


@row("var_mean")
def var_mean(
    a: Cells, dims: Dims = None, *, correction: float = 1, keepdim: bool = False
) -> tuple[Cells, Cells]:
    return variance(a, dims, correction, keepdim)


@row("std_mean")
def std_mean(
    a: Cells, dims: Dims = None, *, correction: float = 1, keepdim: bool = False
) -> tuple[Cells, Cells]:
    spread, centre = variance(a, dims, correction, keepdim)
    return root(spread), centre


def root(a: Cells) -> Cells:
    """Take the square root; at 0, where it has no derivative, no gradient goes back."""
    return a.apply(ops.SQRT).replaced(a.data == 0, 0)


# Norms: no gradient goes back from a norm that is 0, nor to an element that is 0.


@row("linalg_vector_norm")
def vector_norm(
    a: Cells, p: float = 2, dims: Dims = None, keepdim: bool = False, *, out: Tensor, **_: Any
) -> Cells:
    size = a.apply(ops.ABS)
    if math.isinf(p):
        return extremes(size, dims, keepdim, out=out)
    if p == 0:
        return a.made.cells((a.data != 0).to(torch.float64)).total(dims, keepdim)
    if p == 1:
        return size.total(dims, keepdim)
    if p == 2:
        return root((a * a).total(dims, keepdim))
    powers = (size**p).replaced(a.data == 0, 0.0 if p > 0 else math.inf)
    added = powers.total(dims, keepdim)
    return (added ** (1 / p)).replaced(added.data == 0, 0)


@row("norm")
def norm(
    a: Cells,
    p: float | None = 2,
    dims: Dims = None,
    keepdim: bool = False,
    *,
    out: Tensor,
    **_: Any,
) -> Cells:
    return vector_norm(a, 2 if p is None else p, dims, keepdim, out=out)


@row("dist")
def dist(a: Cells, b: Cells, p: float = 2, *, out: Tensor) -> Cells:
    return vector_norm(a - b, p, out=out)


@row("_cdist_forward")
def cdist(a: Cells, b: Cells, p: float = 2, _mode: object = None, *, out: Tensor) -> Cells:
    off = a.moved(lambda each: each.unsqueeze(-2)) - b.moved(lambda each: each.unsqueeze(-3))
    return vector_norm(off, p, -1, out=out)


@row("logsumexp")
def logsumexp(a: Cells, dims: Dims, keepdim: bool = False) -> Cells:
    if not a.data.numel():
        return a.total(dims, keepdim).apply(ops.LOG)
    over = dimensions(a.ndim, dims)
    top = a.data.amax(over, keepdim=True) if over else a.data
    top = top.masked_fill(top.isinf(), 0)
    result = (a - top).apply(ops.EXP).total(over, True).apply(ops.LOG) + top
    whole = [size for dim, size in enumerate(a.shape) if dim not in over]
    return result if keepdim else result.reshaped(*whole)


# Running results: each element with the result before it.


def running(a: Cells, op: Op, dim: int) -> Cells:
    """Return the results of an operation over the elements up to each along a dimension."""
    if a.ndim == 0 or a.shape[dim] < 2:
        return a
    parts = a.moved(lambda each: each.movedim(dim, 0))
    results = [parts[0]]
    for at in range(1, len(parts)):
        results.append(results[-1].apply(op, parts[at]))
    result = parts
    for at, each in enumerate(results):
        result = result.replaced(at, each)
    return result.moved(lambda each: each.movedim(0, dim))


@row("cumsum")
def cumsum(a: Cells, dim: int, **_: Any) -> Cells:
    return running(a, ops.ADD, dim)


@row("cumprod")
def cumprod(a: Cells, dim: int, **_: Any) -> Cells:
    return running(a, ops.MUL, dim)


@row("logcumsumexp")
def logcumsumexp(a: Cells, dim: int) -> Cells:
    if a.ndim == 0 or not a.data.numel():
        return a
    lower, top = shifted(a, dim)
    return running(lower.apply(ops.EXP), ops.ADD, dim).apply(ops.LOG) + top


@row("trace")
def trace(a: Cells) -> Cells:
    return a.moved(torch.diagonal).total()
