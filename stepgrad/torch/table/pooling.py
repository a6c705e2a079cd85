"""Pooling: the largest element of each window, or the mean of its elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from stepgrad.torch.cells import Cells
from stepgrad.torch.table.convolution import each_of, nothing, overlaps, plus
from stepgrad.torch.table.reducing import mean
from stepgrad.torch.table.rows import Rows

ROWS = Rows()
row = ROWS


def _largest(dims: int) -> Any:
    def largest(a: Cells, *_: Any, out: tuple[Tensor, Tensor]) -> tuple[Cells, None]:
        places = out[1]
        flat = a.reshaped(*a.shape[: a.ndim - dims], -1)
        indices = places.reshape(*flat.shape[:-1], -1)
        return flat.moved(lambda each: each.gather(-1, indices)).reshaped(*places.shape), None

    return largest


row("max_pool2d_with_indices", "adaptive_max_pool2d", "fractional_max_pool2d")(_largest(2))
row("max_pool3d_with_indices", "adaptive_max_pool3d", "fractional_max_pool3d")(_largest(3))


def _averages(dims: int, name: str) -> Any:
    operation = getattr(torch.ops.aten, name)

    def averages(
        a: Cells,
        kernel: Sequence[int],
        stride: Sequence[int] = (),
        padding: Sequence[int] = (0,),
        ceil_mode: bool = False,
        pad_counts: bool = True,
        divisor: int | None = None,
        *,
        out: Tensor,
    ) -> Cells:
        kernel, padding = each_of(dims, kernel), each_of(dims, padding)
        stride = each_of(dims, stride) if stride else kernel
        size, result = a.shape[a.ndim - dims :], out.shape[a.ndim - dims :]
        sums = nothing(a, out.shape)
        for _, small, large in overlaps(result, size, kernel, stride, padding, [1] * dims):
            sums = plus(sums, small, a[(..., *large)])
        ones = torch.ones_like(a.data)
        settings = kernel, stride, padding, ceil_mode
        elements = operation(ones, *settings, pad_counts, 1)
        return sums / (elements / operation(ones, *settings, pad_counts, divisor)).round()

    return averages


row("avg_pool2d")(_averages(2, "avg_pool2d"))
row("avg_pool3d")(_averages(3, "avg_pool3d"))


@row("_adaptive_avg_pool2d", "_adaptive_avg_pool3d")
def adaptive_average(a: Cells, size: Sequence[int]) -> Cells:
    """Take the mean of each window, one dimension after the other."""
    for dim, count in enumerate(size, a.ndim - len(size)):
        length = a.shape[dim]
        a = a.turned(dim, 0)
        result = nothing(a, (count, *a.shape[1:]))
        for at in range(count):
            window = slice(at * length // count, -(-(at + 1) * length // count))
            result = result.replaced(at, mean(a[window], 0))
        a = result.turned(0, dim)
    return a
