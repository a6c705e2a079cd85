"""Operations that sum over dimensions: sums, means, products of matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stepgrad.torch.cells import Cells
from stepgrad.torch.table.rows import Rows

ROWS = Rows()
row = ROWS


@row("sum")
def total(a: Cells, dims: Sequence[int] | None = None, keepdim: bool = False, **_: Any) -> Cells:
    return a.total(dims, keepdim=keepdim)


@row("mean")
def mean(a: Cells, dims: Sequence[int] | None = None, keepdim: bool = False, **_: Any) -> Cells:
    summed = a.total(dims, keepdim=keepdim)
    return summed / (a.data.numel() / summed.data.numel())


@row("mm", "bmm")
def matmul(a: Cells, b: Cells) -> Cells:
    """Add up the products of each row with each column: batches of them, one for each term."""
    columns, rows = (
        a.moved(lambda each: each.unsqueeze(-1)),
        b.moved(lambda each: each.unsqueeze(-3)),
    )
    result = columns[..., 0, :] * rows[..., 0, :]
    for term in range(1, a.shape[-1]):
        result = result + columns[..., term, :] * rows[..., term, :]
    return result


@row("addmm", "baddbmm")
def addmm(c: Cells, a: Cells, b: Cells, *, beta: float = 1, alpha: float = 1) -> Cells:
    product = matmul(a, b)
    if alpha != 1:
        product = product * alpha
    return product + (c if beta == 1 else c * beta)
