"""Convolutions: sums of products, made for all outputs at once, term by term."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import torch

from stepgrad.torch.cells import NONE, Cells
from stepgrad.torch.table.rows import Rows

ROWS = Rows()
row = ROWS
Slices = tuple[slice, ...]


def overlaps(
    small: Sequence[int],
    large: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
) -> Iterator[tuple[tuple[int, ...], Slices, Slices]]:
    """Yield each place in a kernel, with the places that meet there.

    Place i of the smaller side meets place i·stride + k·dilation − padding of the larger side at
    place k of the kernel. What lies in the padding meets nothing.
    """  # fmt: skip
    for place in product(*map(range, kernel)):
        ones, others = [], []
        for dim, k in enumerate(place):
            shift, step = k * dilation[dim] - padding[dim], stride[dim]
            first = max(0, -(shift // step))
            end = min(small[dim], (large[dim] - 1 - shift) // step + 1)
            end = max(first, end)
            ones.append(slice(first, end))
            begin = first * step + shift
            others.append(
                slice(begin, begin + (end - first) * step, step) if end > first else slice(0, 0)
            )
        yield place, tuple(ones), tuple(others)


def plus(sums: Cells, where: Slices, parts: Cells) -> Cells:
    """Add parts to sums; a sum that has nothing yet is its first part."""
    key = ..., *where
    here = sums[key]
    assert here.ids is not None
    begun = here.ids != NONE
    if begun.all():
        parts = here + parts
    elif begun.any():
        parts = parts.replaced(begun, here[begun] + parts[begun])
    return parts if parts.shape == sums.shape else sums.replaced(key, parts)


def nothing(like: Cells, shape: Sequence[int]) -> Cells:
    """Return sums of nothing yet."""
    return Cells(like.made, torch.full([*shape], NONE), torch.zeros([*shape], dtype=torch.float64))


@row("convolution", "mkldnn_convolution")
def convolution(
    a: Cells,
    weight: Cells,
    bias: Cells | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    output_padding: Sequence[int],
    groups: int,
    *,
    out: torch.Tensor,
) -> Cells:
    dims = a.ndim - 2
    stride, padding, dilation = (each_of(dims, given) for given in (stride, padding, dilation))
    size, kernel, result = a.shape[2:], weight.shape[2:], out.shape[2:]
    # Both as samples × groups × outputs × inputs × places.
    a = a.numbered().reshaped(len(a), groups, 1, -1, *size)
    if transposed:
        w = weight.numbered().reshaped(groups, a.shape[3], -1, *kernel)
        w = w.moved(lambda each: each.movedim(2, 1))
        sides = result, size
    else:
        w = weight.numbered().reshaped(groups, len(weight) // groups, -1, *kernel)
        sides = size, result
    sums = nothing(a, (len(a), groups, w.shape[1], *result))
    for place, small, large in overlaps(sides[1], sides[0], kernel, stride, padding, dilation):
        taken, given = (small, large) if transposed else (large, small)
        for channel in range(w.shape[2]):
            factor = w[(slice(None), slice(None), channel, *place)]
            factor = factor.reshaped(*factor.shape, *[1] * dims)
            sums = plus(
                sums, given, a[(slice(None), slice(None), slice(None), channel, *taken)] * factor
            )
    sums = sums.reshaped(*out.shape)
    return sums if bias is None else sums + bias.reshaped(-1, *[1] * dims)


def each_of(dims: int, given: Sequence[int]) -> Sequence[int]:
    """Return a setting for each dimension; one number is that of all."""
    return [*given] * dims if len(given) == 1 else given
