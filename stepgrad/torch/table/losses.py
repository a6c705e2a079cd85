"""Losses that PyTorch computes in one operation."""

from __future__ import annotations

from typing import TypeAlias

import torch
from torch import Tensor

from stepgrad.engine import ops
from stepgrad.torch.cells import Cells
from stepgrad.torch.table.reducing import mean
from stepgrad.torch.table.rows import Rows

ROWS = Rows()
row = ROWS
NO, MEAN, SUM = 0, 1, 2
_LEAST = 9.999999960041972e-13  # 1e-12 in single precision
Weights: TypeAlias = Cells | None


def reduced(a: Cells, reduction: int) -> Cells:
    """Return the losses of all elements, their mean, or their sum."""
    if reduction == NO:
        return a
    return mean(a) if reduction == MEAN else a.total()


@row("mse_loss")
def mse(a: Cells, b: Cells, reduction: int = MEAN) -> Cells:
    off = a - b
    return reduced(off * off, reduction)


@row("smooth_l1_loss")
def smooth_l1(a: Cells, b: Cells, reduction: int = MEAN, beta: float = 1) -> Cells:
    off = a - b
    near = off.data.abs() < beta
    parts = off.replaced_by(near, lambda off: off * off / (2 * beta))
    parts = parts.replaced_by(~near, lambda off: off.apply(ops.ABS) - beta / 2)
    return reduced(parts, reduction)


@row("huber_loss")
def huber(a: Cells, b: Cells, reduction: int = MEAN, delta: float = 1) -> Cells:
    off = a - b
    near = off.data.abs() <= delta
    parts = off.replaced_by(near, lambda off: off * off / 2)
    parts = parts.replaced_by(~near, lambda off: (off.apply(ops.ABS) - delta / 2) * delta)
    return reduced(parts, reduction)


@row("binary_cross_entropy")
def binary_cross_entropy(
    a: Cells, b: Cells, weight: Weights = None, reduction: int = MEAN
) -> Cells:
    """Add up two logarithms, which are at least −100.

    Near 0 and 1 PyTorch's derivative with respect to `a` is (a − b) / `_LEAST`.
    """

    def log(a: Cells) -> Cells:
        logarithm = a.apply(ops.LOG)
        return logarithm.replaced(logarithm.data < -100, -100)

    loss = -(b * log(a) + (1 - b) * log(1 - a))
    steep = a.data * (1 - a.data) < _LEAST
    if steep.any():
        at, target = a[steep], b[steep]
        line = (at - at.data) * ((at.data - target.data) / _LEAST)
        flat = -(target * log(at.detached()) + (1 - target) * log(1 - at.detached()))
        loss = loss.replaced(steep, line + flat)
    return reduced(loss if weight is None else loss * weight, reduction)


@row("binary_cross_entropy_with_logits")
def binary_cross_entropy_with_logits(
    a: Cells, b: Cells, weight: Weights = None, pos_weight: Weights = None, reduction: int = MEAN
) -> Cells:
    if pos_weight is None:
        loss = (1 - b) * a + (-a).apply(ops.SOFTPLUS)
    else:
        loss = (1 - b) * a + ((pos_weight - 1) * b + 1) * (-a).apply(ops.SOFTPLUS)
    return reduced(loss if weight is None else loss * weight, reduction)


@row("nll_loss_forward", "nll_loss2d_forward")
def nll(
    a: Cells, target: Tensor, weight: Weights, reduction: int, ignored: int
) -> tuple[Cells, None]:
    dim = 1 if a.ndim > 1 else 0
    used = target != ignored
    place = target.where(used, 0).unsqueeze(dim)
    if not a.data.numel():
        parts, factors = a[:, 0], a.data[:, 0]
    else:
        parts = -a.moved(lambda each: each.gather(dim, place).squeeze(dim))
        weights = torch.ones(a.shape[dim], dtype=torch.float64) if weight is None else weight.data
        factors = weights[place.squeeze(dim)] * used
    if weight is not None:
        parts = parts * factors
    parts = parts.replaced(~used, 0)
    if reduction == NO:
        return parts, None
    added = parts[used].total()
    return (added / factors.sum() if reduction == MEAN else added), None


@row("soft_margin_loss")
def soft_margin(a: Cells, b: Cells, reduction: int = MEAN) -> Cells:
    return reduced((-b * a).apply(ops.EXP).apply(ops.LOG1P), reduction)


@row("multi_margin_loss")
def multi_margin(
    a: Cells,
    target: Tensor,
    p: int = 1,
    margin: float = 1,
    weight: Weights = None,
    reduction: int = MEAN,
) -> Cells:
    scores = a.reshaped(target.numel(), -1).numbered()
    place = target.reshape(-1, 1)
    gaps = (scores - scores.moved(lambda each: each.gather(1, place)) + margin).apply(ops.RELU)
    if p != 1:
        gaps = gaps * gaps
    if weight is not None:
        gaps = gaps * weight.data[place]
    own = torch.arange(scores.shape[1]) == place
    parts = gaps.replaced(own, 0).total(1) / scores.shape[1]
    return reduced(parts.reshaped(*target.shape) if reduction == NO else parts, reduction)


@row("multilabel_margin_loss_forward")
def multilabel_margin(
    a: Cells, target: Tensor, reduction: int, *, out: tuple[Tensor, Tensor]
) -> tuple[Cells, None]:
    """Compare each label with each class that is no label; labels end at the first that is −1."""
    classes = a.shape[-1] if a.ndim else 1
    scores, labels = a.reshaped(-1, classes).numbered(), target.reshape(-1, classes)
    is_label = (labels >= 0).cumprod(1) > 0
    given = scores.moved(lambda each: each.gather(1, labels.where(is_label, 0)).unsqueeze(2))
    gaps = (scores.moved(lambda each: each.unsqueeze(1)) - given + 1).apply(ops.RELU)
    counts = is_label.unsqueeze(2) & (out[1].reshape(labels.shape) == 0).unsqueeze(1)
    parts = gaps.replaced(~counts, 0).total([1, 2]) / scores.shape[1]
    return reduced(parts.reshaped(*a.shape[:-1]) if reduction == NO else parts, reduction), None
