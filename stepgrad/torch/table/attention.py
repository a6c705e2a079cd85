"""Attention: softmax of the scaled products of queries and keys, times the values."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from stepgrad.torch.cells import Cells
from stepgrad.torch.table.activations import safe_softmax
from stepgrad.torch.table.matrices import matmul
from stepgrad.torch.table.rows import Rows

ROWS = Rows()
row = ROWS


@row("_scaled_dot_product_flash_attention_for_cpu")
def attention(
    query: Cells,
    key: Cells,
    value: Cells,
    dropout: float = 0,
    causal: bool = False,
    *,
    attn_mask: Cells | Tensor | None = None,
    scale: float | None = None,
) -> tuple[Cells, None]:
    if dropout:
        raise NotImplementedError("attention with dropout in one operation")
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    if key.shape[1] != query.shape[1]:
        key, value = (_repeated(each, query.shape[1]) for each in (key, value))
    scores = matmul(query, key.moved(lambda each: each.mT)) * scale
    if isinstance(attn_mask, Cells):
        scores = scores + attn_mask
    elif attn_mask is not None:
        scores = scores.replaced(~attn_mask.expand(scores.shape), -math.inf)
    if causal:
        ahead = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
        scores = scores.replaced(ahead.expand(scores.shape), -math.inf)
    return matmul(safe_softmax(scores, -1), value), None


def _repeated(a: Cells, heads: int) -> Cells:
    times: Any = heads // a.shape[1]
    return a.moved(lambda each: each.repeat_interleave(times, 1))
