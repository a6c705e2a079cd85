"""Layers that normalise: by layer, by group, by batch, and by root mean square."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import torch

from stepgrad.engine import ops
from stepgrad.torch.cells import Cells
from stepgrad.torch.table.reducing import mean, variance
from stepgrad.torch.table.rows import Rows

ROWS = Rows()
row = ROWS
Weights: TypeAlias = Cells | None


def _normalised(a: Cells, dims: Sequence[int], eps: float) -> Cells:
    """Subtract the mean over some dimensions, and divide by the standard deviation."""
    spread, centre = variance(a, dims, 0, True)
    return (a - centre) / (spread + eps).apply(ops.SQRT)


def _scaled(a: Cells, weight: Weights, bias: Weights) -> Cells:
    if weight is not None:
        a = a * weight
    return a if bias is None else a + bias


@row("native_layer_norm")
def layer_norm(
    a: Cells, shape: Sequence[int], weight: Weights, bias: Weights, eps: float
) -> tuple[Cells, None, None]:
    dims = range(a.ndim - len(shape), a.ndim)
    return _scaled(_normalised(a, dims, eps), weight, bias), None, None


@row("_fused_rms_norm")
def rms_norm(
    a: Cells, shape: Sequence[int], weight: Weights, eps: float | None
) -> tuple[Cells, None]:
    dims = range(a.ndim - len(shape), a.ndim)
    eps = torch.finfo(a.data.dtype).eps if eps is None else eps
    return _scaled(a / (mean(a * a, dims, True) + eps).apply(ops.SQRT), weight, None), None


@row("native_group_norm")
def group_norm(
    a: Cells,
    weight: Weights,
    bias: Weights,
    samples: int,
    channels: int,
    rest: int,
    groups: int,
    eps: float,
) -> tuple[Cells, None, None]:
    normal = _normalised(a.reshaped(samples, groups, channels // groups * rest), [2], eps).reshaped(
        *a.shape
    )
    return _scaled(normal, *_by_channel(a, weight, bias)), None, None


@row("native_batch_norm", "cudnn_batch_norm")
def batch_norm(
    a: Cells,
    weight: Weights,
    bias: Weights,
    running_mean: Weights,
    running_var: Weights,
    training: bool,
    _momentum: float,
    eps: float,
) -> tuple[Cells, None, None]:
    weight, bias = _by_channel(a, weight, bias)
    if training:
        normal = _normalised(a, [dim for dim in range(a.ndim) if dim != 1], eps)
    else:
        centre, spread = _by_channel(a, running_mean, running_var)
        assert centre is not None, "it is not training"
        assert spread is not None, "it is not training"
        normal = (a - centre) / (spread + eps).apply(ops.SQRT)
    return _scaled(normal, weight, bias), None, None


@row("_native_batch_norm_legit")
def batch_norm_legit(
    a: Cells, weight: Weights, bias: Weights, *rest: object
) -> tuple[Cells, None, None]:
    running = rest[:-3] if len(rest) > 3 else (None, None)
    return batch_norm(a, weight, bias, *running, *rest[-3:])


def _by_channel(a: Cells, *weights: Weights) -> list[Weights]:
    shape = [-1, *[1] * (a.ndim - 2)]
    return [each and each.reshaped(*shape) for each in weights]


@row("_weight_norm_interface")
def weight_norm(v: Cells, g: Cells, dim: int = 0) -> tuple[Cells, None]:
    dims = [each for each in range(v.ndim) if each != dim]
    size = (v * v).total(dims, True).apply(ops.SQRT) if dims else v.apply(ops.ABS)
    return v * (g / size), None
